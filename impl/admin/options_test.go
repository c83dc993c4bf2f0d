package admin_test

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"strings"
	"sync"
	"testing"

	"github.com/unilb/unilb/impl/admin"
)

func TestOptionsOfTheTransport(t *testing.T) {
	t.Parallel()
	ask := func(o admin.Options, method string) *httptest.ResponseRecorder {
		t.Helper()
		o.Store = &manyRoutes{}
		h, err := admin.New(o)
		if err != nil {
			t.Fatal(err)
		}
		r := httptest.NewRequest(method, "/apisix/admin/routes", nil)
		r.RemoteAddr = "10.1.2.3:4000"
		w := httptest.NewRecorder()
		h.ServeHTTP(w, r)
		return w
	}
	networks := func(text string) []netip.Prefix { return []netip.Prefix{netip.MustParsePrefix(text)} }
	for _, tc := range []struct {
		name   string
		o      admin.Options
		method string
		code   int
		server string
		origin string
	}{
		{"all", admin.Options{}, http.MethodGet, 200, "APISIX/3.18.0", "*"},
		{"allowed", admin.Options{Allow: networks("10.0.0.0/8")}, http.MethodGet, 200, "APISIX/3.18.0", "*"},
		{"not allowed", admin.Options{Allow: networks("127.0.0.0/24")}, http.MethodGet, 403, "APISIX/3.18.0", "*"},
		{"no CORS", admin.Options{NoCORS: true}, http.MethodGet, 200, "APISIX/3.18.0", ""},
		{"no CORS, asked before", admin.Options{NoCORS: true}, http.MethodOptions, 404, "APISIX/3.18.0", ""},
		{"no version", admin.Options{NoVersion: true}, http.MethodGet, 200, "APISIX", "*"},
	} {
		w := ask(tc.o, tc.method)
		if w.Code != tc.code || w.Header().Get("Server") != tc.server || w.Header().Get("Access-Control-Allow-Origin") != tc.origin {
			t.Errorf("%s: got %d %v, want %d from %s for %q", tc.name, w.Code, w.Header(), tc.code, tc.server, tc.origin)
		}
		if tc.code == 403 && !strings.Contains(w.Body.String(), "403 Forbidden") {
			t.Errorf("%s: got %s", tc.name, w.Body)
		}
	}
}

// What only one may have has one owner, whoever writes at the same moment.
func TestOfTwoAtOnceOneGetsWhatOnlyOneCanHave(t *testing.T) {
	t.Parallel()
	a := newAPI(t)
	for round := range 8 {
		codes := map[string]map[int]int{"consumer": {}, "rule": {}}
		var mu sync.Mutex
		var wg sync.WaitGroup
		for i := range 4 {
			wg.Go(func() {
				name := fmt.Sprintf("c%d_%d", round, i)
				r := a.call("PUT /consumers", fmt.Sprintf(`{"username":%q,"plugins":{"key-auth":{"key":"k%d"}}}`, name, round))
				mu.Lock()
				codes["consumer"][r.code]++
				mu.Unlock()
				r = a.call(fmt.Sprintf("PUT /global_rules/%s", name), `{"plugins":{"cors":{}}}`)
				mu.Lock()
				codes["rule"][r.code]++
				mu.Unlock()
			})
		}
		wg.Wait()
		for i := range 4 {
			_ = a.call(fmt.Sprintf("DELETE /global_rules/c%d_%d", round, i), "")
		}
		if codes["consumer"][201] != 1 || codes["consumer"][400] != 3 {
			t.Errorf("round %d: consumers got %v, want one 201 and three 400", round, codes["consumer"])
		}
		if codes["rule"][201] != 1 || codes["rule"][400] != 3 {
			t.Errorf("round %d: global rules got %v, want one 201 and three 400", round, codes["rule"])
		}
	}
	for i := range 20 { // different keys do not stand in each other's way
		a.must(201, "PUT /consumers", fmt.Sprintf(`{"username":"other%d","plugins":{"key-auth":{"key":"other%d"}}}`, i, i))
	}
}
