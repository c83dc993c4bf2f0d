package admin

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
)

// Nothing is written that cannot be waited for.
func TestWaitsAreBounded(t *testing.T) {
	h, err := New(Options{Store: struct{ Store }{}}) // whoever calls it panics
	if err != nil {
		t.Fatal(err)
	}
	for range maxWaits {
		if _, f := h.beginWait(); f != nil {
			t.Fatal(f.body)
		}
	}
	w := httptest.NewRecorder()
	h.ServeHTTP(w, httptest.NewRequest(http.MethodPut, root+"/routes/1?wait=applied", strings.NewReader(`{"uri":"/"}`)))
	if w.Code != 503 || !strings.Contains(w.Body.String(), "nothing was written") {
		t.Errorf("got %d %s, want 503", w.Code, w.Body)
	}
}
