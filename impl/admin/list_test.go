package admin_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"runtime"
	"strings"
	"testing"

	"github.com/unilb/unilb/impl/admin"
	"github.com/unilb/unilb/impl/store"
)

// manyRoutes is a store of n routes that are made when they are read.
type manyRoutes struct {
	admin.Store
	n      int
	failAt int // the number of the page that fails; 0: none
	pages  int
	// inFlight are the most bytes of routes that were read and not yet written.
	read, written, inFlight int
}

func (m *manyRoutes) Page(_ context.Context, _, from string, rev int64, limit int) (kvs []store.KV, next string, at int64, err error) {
	m.pages++
	if m.pages == m.failAt || m.pages > 1 && rev != 7 {
		return nil, "", 0, errors.New("gone")
	}
	first := 0
	if from != "" {
		if _, err := fmt.Sscanf(from, "/apisix/routes/%06d", &first); err != nil {
			return nil, "", 0, err
		}
	}
	for i := first; i < min(first+limit, m.n); i++ {
		value := fmt.Appendf(nil, `{"id":"%06d","uri":"/%d","desc":%q,"upstream":{"nodes":{"192.0.2.1:80":1}}}`, i, i, strings.Repeat("x", 800))
		kvs = append(kvs, store.KV{Key: fmt.Sprintf("/apisix/routes/%06d", i), Value: value, Create: int64(m.n - i), Mod: int64(m.n - i)})
		m.read += len(value)
	}
	m.inFlight = max(m.inFlight, m.read-m.written)
	if first+limit < m.n {
		next = fmt.Sprintf("/apisix/routes/%06d", first+limit)
	}
	return kvs, next, 7, nil
}

// measured counts what is written and forgets it.
type measured struct {
	*httptest.ResponseRecorder
	m    *manyRoutes
	peak uint64
	n    int
}

func (w *measured) Write(b []byte) (int, error) {
	w.m.written += len(b)
	if w.n++; w.n%64 == 0 {
		var s runtime.MemStats
		runtime.ReadMemStats(&s)
		w.peak = max(w.peak, s.HeapAlloc)
	}
	return len(b), nil
}

func TestListOfManyRoutesNeedsLittleMemory(t *testing.T) {
	const routes, most = 100_000, 64 << 20
	m := &manyRoutes{n: routes}
	h, err := admin.New(admin.Options{Store: m})
	if err != nil {
		t.Fatal(err)
	}
	runtime.GC()
	var before runtime.MemStats
	runtime.ReadMemStats(&before)
	w := &measured{ResponseRecorder: httptest.NewRecorder(), m: m}
	h.ServeHTTP(w, httptest.NewRequest(http.MethodGet, "/apisix/admin/routes", nil))
	if w.Code != 200 || m.written < m.read {
		t.Fatalf("got %d with %d bytes of %d", w.Code, m.written, m.read)
	}
	if m.inFlight > 4<<20 {
		t.Errorf("%d bytes of routes were held at a time, want one step of them", m.inFlight)
	}
	if w.peak > before.HeapAlloc+most {
		t.Errorf("the heap grew from %d to %d bytes, want at most %d more", before.HeapAlloc, w.peak, most)
	}
	t.Logf("%d routes of %d bytes in %d pages, at most %d bytes at a time, heap %d to %d", routes, m.read, m.pages, m.inFlight, before.HeapAlloc, w.peak)
}

func TestListThatBreaksIsNotTakenForWhole(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct {
		name   string
		failAt int
	}{{"at the first page", 1}, {"later", 3}} {
		h, err := admin.New(admin.Options{Store: &manyRoutes{n: 5000, failAt: tc.failAt}})
		if err != nil {
			t.Fatal(err)
		}
		s := httptest.NewServer(h)
		r, err := http.Get(s.URL + "/apisix/admin/routes")
		if err != nil {
			t.Fatal(err)
		}
		b, err := io.ReadAll(r.Body)
		_ = r.Body.Close()
		s.Close()
		if tc.failAt == 1 && (r.StatusCode != 503 || err != nil) || tc.failAt > 1 && err == nil {
			t.Errorf("%s: got %d, %d bytes, error %v", tc.name, r.StatusCode, len(b), err)
		}
	}
}

func TestPagesOfManyRoutes(t *testing.T) {
	t.Parallel()
	h, err := admin.New(admin.Options{Store: &manyRoutes{n: 3000}})
	if err != nil {
		t.Fatal(err)
	}
	w := httptest.NewRecorder()
	h.ServeHTTP(w, httptest.NewRequest(http.MethodGet, "/apisix/admin/routes?page=3&page_size=100", nil))
	var got struct {
		List  []struct{ Key string }
		Total int
	}
	if err := json.Unmarshal(w.Body.Bytes(), &got); err != nil {
		t.Fatal(err)
	}
	// They were created in the opposite order of their keys.
	if got.Total != 3000 || len(got.List) != 100 || got.List[0].Key != "/apisix/routes/002799" || got.List[99].Key != "/apisix/routes/002700" {
		t.Errorf("got %d of %d, from %+v", len(got.List), got.Total, got.List[:1])
	}
}

func TestListOfThousandsFromEtcd(t *testing.T) {
	t.Parallel()
	const n = 3000
	a := newAPI(t)
	var ops []store.Op
	for i := range n {
		ops = append(ops, store.Op{Key: fmt.Sprintf("/apisix/upstreams/%04d", i), Value: fmt.Appendf(nil, `{"id":"%04d","nodes":{}}`, i)})
		if len(ops) == 100 {
			if _, err := a.st.Commit(t.Context(), nil, ops...); err != nil {
				t.Fatal(err)
			}
			ops = nil
		}
	}
	r := a.must(200, "GET /upstreams", "")
	list, _ := r.body["list"].([]any)
	if len(list) != n || r.body["total"] != float64(n) || !bytes.HasSuffix([]byte(r.raw), []byte("}\n")) {
		t.Fatalf("got %d items, total %v", len(list), r.body["total"])
	}
	for i, item := range list {
		if key := item.(map[string]any)["key"]; key != fmt.Sprintf("/apisix/upstreams/%04d", i) {
			t.Fatalf("item %d is %v", i, key)
		}
	}
}

func TestListFilters(t *testing.T) {
	t.Parallel()
	a := newAPI(t)
	a.must(201, "PUT /upstreams/1", `{"nodes":{}}`)
	for i := range 25 {
		// Ids fall while creation goes on: order of keys is not order of creation.
		a.must(201, fmt.Sprintf("PUT /routes/%02d", 50-i), fmt.Sprintf(`{"uri":"/%d","name":"n%d","upstream_id":%s,"labels":{"l%d":"x"}}`,
			i, i, []string{"1", `"1"`}[i%2], i%5))
	}
	for query, count := range map[string]int{
		"":                                        25,
		"?name=^n1$":                              1,
		"?name=n1":                                11,
		"?label=l3":                               5,
		"?label=":                                 0, // equal, not: any
		"?label":                                  0,
		"?name=":                                  25,
		"?uri=^/2":                                6,
		"?name=n1&label=l1":                       3,
		"?filter=upstream_id%3D1":                 25,
		"?filter=upstream_id%3D2":                 0,
		"?filter=foo%3D2":                         25,
		"?page=1&page_size=10":                    10,
		"?page=3&page_size=10":                    5,
		"?page=4&page_size=10":                    0,
		"?page=4000000000000&page_size=10":        0,
		"?page=0&page_size=10":                    10,
		"?page=x&page_size=10":                    25,
		"?page=&page_size=10":                     25,
		"?page=1.0&page_size=1e1":                 10,
		"?page=2&page_size=12.5":                  0, // between two objects
		"?page=3&page_size=12.5":                  0,
		"?page=1&page_size=12.5":                  12,
		"?page=%202&page_size=20":                 5,
		"?page=1e30&page_size=10":                 0,
		"?page=99999999999999999999&page_size=10": 0,
		"?name=^n(?!1)":                           14,
		"?uri=^/2;":                               0,
		"?label=l3&page=1&page_size=10":           5,
	} {
		r := a.must(200, "GET /routes"+query, "")
		list, _ := r.body["list"].([]any)
		if len(list) != count {
			t.Errorf("%s: got %d items, want %d", query, len(list), count)
		}
	}
	r := a.must(200, "GET /routes?page=2&page_size=10", "")
	if r.body["total"] != 25.0 {
		t.Errorf("total of a page is %v, want 25", r.body["total"])
	}
	if first := r.body["list"].([]any)[0].(map[string]any)["key"]; first != "/apisix/routes/40" {
		t.Errorf("second page begins with %v, want the eleventh created", first)
	}
	r = a.call("GET /routes?page=1&page_size=9", "")
	if r.code != 400 || r.raw != "page_size must be between 10 and 500" {
		t.Errorf("got %d %q", r.code, r.raw)
	}
}
