package gateway

import (
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
)

func TestCutAnswersAreLoggedAndCountedWithTheirReason(t *testing.T) {
	engines(t, func(t *testing.T, engine string) {
		r := startWith(t, engine)
		s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Length", "10")
			_, _ = io.WriteString(w, "hello") // and the connection ends
		}))
		defer s.Close()
		r.put("/apisix", "routes/half", `{"uri":"/*","upstream":{"nodes":{"`+s.Listener.Addr().String()+`":1}}}`)
		resp, err := http.Get("http://" + r.data + "/")
		if err != nil {
			t.Fatal(err)
		}
		defer resp.Body.Close()
		if b, err := io.ReadAll(resp.Body); err == nil {
			t.Errorf("half an answer reads as whole: %q", b)
		}
		r.await(1, "unilb_http_cut_total", "reason", "target_ended", "route", "half", "node", "127.0.0.1")
		r.await(1, "unilb_http_cut_total")
		r.stop()
		err = <-r.ended
		r.ended <- err
		if log := r.access.String(); !strings.HasSuffix(log, `"tries":[200],"cut":true,"cut_reason":"target_ended"}`+"\n") {
			t.Errorf("the log says %q", log)
		}
	})
}
