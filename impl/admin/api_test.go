package admin_test

import (
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"reflect"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/unilb/unilb/impl/admin"
	"github.com/unilb/unilb/impl/apisix"
	"github.com/unilb/unilb/impl/history"
	"github.com/unilb/unilb/impl/store"
	"github.com/unilb/unilb/impl/store/etcdtest"
)

const key = "edd1c9f034335f136f87ad84b625c8f1"

// api is an Admin API over a real etcd, with a clock that the test sets.
type api struct {
	t    *testing.T
	url  string
	st   *store.Store
	etcd *etcdtest.Server
	mu   sync.Mutex
	now  time.Time
}

// newAPI starts an Admin API with everything on but what is named.
func newAPI(t *testing.T, off ...string) *api {
	t.Helper()
	return newAPIWith(t, func(o *admin.Options) { o.Stream = !slices.Contains(off, "stream") })
}

// newAPIWith starts an Admin API with other options.
func newAPIWith(t *testing.T, set func(*admin.Options)) *api {
	t.Helper()
	a := &api{t: t, etcd: etcdtest.Start(t), now: time.Unix(1000, 0)}
	a.start(set)
	return a
}

// start serves the API over the etcd that there is.
func (a *api) start(set func(*admin.Options)) {
	a.t.Helper()
	ring, _, err := apisix.ParseKeyring("")
	if err != nil {
		a.t.Fatal(err)
	}
	a.st, err = store.Open(store.Options{Endpoints: []string{a.etcd.Endpoint()}})
	if err != nil {
		a.t.Fatal(err)
	}
	a.t.Cleanup(func() { _ = a.st.Close() })
	o := admin.Options{
		Store: &history.Store{Store: a.st, Objects: "/apisix"}, // as l7admin has it
		Keys:  []admin.Key{{Secret: key, Role: admin.Admin, Name: "operator"}, {Secret: "view", Name: "viewer"}},

		Keyring: ring,
		Now:     func() time.Time { a.mu.Lock(); defer a.mu.Unlock(); return a.now },
	}
	set(&o)
	h, err := admin.New(o)
	if err != nil {
		a.t.Fatal(err)
	}
	if err := h.InitDirectories(a.t.Context()); err != nil {
		a.t.Fatal(err)
	}
	s := httptest.NewServer(h)
	a.t.Cleanup(s.Close)
	a.url = s.URL
}

func (a *api) at(unix int64) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.now = time.Unix(unix, 0)
}

type reply struct {
	code   int
	header http.Header
	raw    string
	body   map[string]any
}

// do sends "METHOD /path" with a body and headers as pairs.
func (a *api) do(line, body string, headers ...string) reply {
	a.t.Helper()
	method, path, _ := strings.Cut(line, " ")
	r, err := http.NewRequestWithContext(a.t.Context(), method, a.url+path, strings.NewReader(body))
	if err != nil {
		a.t.Fatal(err)
	}
	r.Header.Set("X-API-KEY", key)
	for i := 0; i+1 < len(headers); i += 2 {
		r.Header.Set(headers[i], headers[i+1])
		if headers[i+1] == "" {
			r.Header.Del(headers[i])
		}
	}
	resp, err := http.DefaultClient.Do(r)
	if err != nil {
		a.t.Fatal(err)
	}
	defer resp.Body.Close()
	raw, err := io.ReadAll(resp.Body)
	if err != nil {
		a.t.Fatal(err)
	}
	out := reply{code: resp.StatusCode, header: resp.Header, raw: string(raw)}
	_ = json.Unmarshal(raw, &out.body) // not every answer is JSON
	return out
}

// call is do below /apisix/admin.
func (a *api) call(line, body string, headers ...string) reply {
	a.t.Helper()
	method, path, _ := strings.Cut(line, " ")
	return a.do(method+" /apisix/admin"+path, body, headers...)
}

func (a *api) must(code int, line, body string, headers ...string) reply {
	a.t.Helper()
	r := a.call(line, body, headers...)
	if r.code != code {
		a.t.Fatalf("%s %s: got %d %s, want %d", line, body, r.code, r.raw, code)
	}
	return r
}

func want(t *testing.T, got any, wantJSON string) {
	t.Helper()
	var w any
	if err := json.Unmarshal([]byte(wantJSON), &w); err != nil {
		t.Fatal(err)
	}
	if !reflect.DeepEqual(got, w) {
		b, _ := json.Marshal(got)
		t.Fatalf("got  %s\nwant %s", b, wantJSON)
	}
}
