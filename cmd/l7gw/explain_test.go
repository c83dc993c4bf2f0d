package main

import (
	"bytes"
	"context"
	"encoding/json"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/unilb/unilb/impl/config"
	"github.com/unilb/unilb/impl/control"
	"github.com/unilb/unilb/impl/explain"
	"github.com/unilb/unilb/impl/gateway"
	"github.com/unilb/unilb/impl/store"
	"github.com/unilb/unilb/impl/store/etcdtest"
	"github.com/unilb/unilb/impl/store/lastgood"
)

const (
	explainedRoute    = `{"id":"cart","uri":"/cart*","host":"shop.example","methods":["POST"],"upstream_id":"web"}`
	explainedUpstream = `{"id":"web","nodes":{"10.0.0.1:8080":1}}`
)

// explained runs the command and returns what it printed.
func explained(t *testing.T, want int, in string, args ...string) string {
	t.Helper()
	var out bytes.Buffer
	if code := runExplain(args, none, strings.NewReader(in), &out); code != want {
		t.Fatalf("%v: exit code %d, want %d: %s", args, code, want, out.String())
	}
	return out.String()
}

// objects are what an etcd would have.
func objects() []store.KV {
	return []store.KV{
		{Key: "/apisix/routes/", Value: []byte("init_dir"), Create: 1, Mod: 1},
		{Key: "/apisix/routes/cart", Value: []byte(explainedRoute), Create: 2, Mod: 7},
		{Key: "/apisix/upstreams/web", Value: []byte(explainedUpstream), Create: 3, Mod: 3},
		{Key: "/apisix/routes/bad", Value: []byte(`{"uri":7}`), Create: 4, Mod: 4},
	}
}

func TestExplainGivesTheSameAnswerFromEverySource(t *testing.T) {
	dir, file := t.TempDir(), filepath.Join(t.TempDir(), "config.json")
	if err := os.WriteFile(file, []byte(`{"routes":[`+explainedRoute+`],"upstreams":[`+explainedUpstream+`]}`), 0o600); err != nil {
		t.Fatal(err)
	}
	keep, err := lastgood.New(lastgood.Options{Dir: dir})
	if err != nil {
		t.Fatal(err)
	}
	keep.Note("/apisix", store.Batch{Reset: true, Revision: 9, Puts: objects()}, func(string) bool { return false })
	ended, cancel := context.WithCancel(context.Background())
	cancel()
	_ = keep.Run(ended) // writes once
	etcd := etcdtest.Start(t)
	st, err := store.Open(store.Options{Endpoints: []string{etcd.Endpoint()}, Log: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = st.Close() }()
	for _, kv := range objects() {
		if _, err := st.Commit(context.Background(), nil, store.Op{Key: kv.Key, Value: kv.Value}); err != nil {
			t.Fatal(err)
		}
	}
	read := gateway.Reading{Prefix: "/apisix"}
	src := read.Explained(lastgood.Content{Prefix: "/apisix", Revision: 9, KVs: objects()})
	api := httptest.NewServer(control.New(control.Options{Prefix: "/apisix", Explain: func() *explain.Source { return src }, Snapshot: func() *config.Snapshot { return src.Snapshot }}))
	defer api.Close()
	for _, from := range [][]string{{"--config", file}, {"--config", filepath.Join(dir, "config.lastgood")}, {"--state-dir", dir}, {"--etcd", etcd.Endpoint()}, {"--control", api.URL}} {
		got := explained(t, 0, "", append(from, "POST", "http://shop.example/cart/1")...)
		if !strings.HasPrefix(got, "POST http://shop.example/cart/1\ngoes to /apisix/upstreams/web, by /apisix/routes/cart\n") {
			t.Errorf("%v: got %s", from, got)
		}
		if revisions := strings.Contains(got, "in force up to"); revisions != (from[1] != file) {
			t.Errorf("%v: revisions told: %v in %s", from, revisions, got)
		}
		got = explained(t, 0, "GET /cart HTTP/1.1\nHost: shop.example\n", append(from, "--head", "-", "--json", "--route", "bad")...)
		var a struct {
			Type string
			explain.Answer
		}
		if err := json.Unmarshal([]byte(got), &a); err != nil || a.Type != "explanation" || a.Generated == nil || a.Generated.Status != 404 || len(a.Refused) != 1 {
			t.Errorf("%v: got %s, %v, want 404", from, got, err)
		}
		if refused := a.Asked != nil && strings.HasPrefix(a.Asked.Why, "it was refused"); refused != (from[1] != file) {
			t.Errorf("%v: the refused route: got %+v", from, a.Asked)
		}
	}
}

func TestExplainTakesRoutesWhoseSecretsNobodyKnows(t *testing.T) {
	file := filepath.Join(t.TempDir(), "config.json")
	const route = `{"id":"1","uri":"/*","upstream":{"scheme":"https","nodes":{"10.0.0.1:443":1},"tls":{"client_cert":"$env://C","client_key":"$env://K"}}}`
	if err := os.WriteFile(file, []byte(`{"routes":[`+route+`]}`), 0o600); err != nil {
		t.Fatal(err)
	}
	if got := explained(t, 0, "", "--config", file, "http://a.example/"); !strings.Contains(got, "goes to /apisix/routes/1, by /apisix/routes/1") {
		t.Errorf("got %s", got)
	}
}

func TestExplainIsToldTheBody(t *testing.T) {
	dir := t.TempDir()
	file, text := filepath.Join(dir, "config.json"), filepath.Join(dir, "body")
	const route = `{"id":"1","uri":"/*","vars":[["post_arg.a","==",7]],"upstream":{"nodes":{"10.0.0.1:80":1}}}`
	for name, content := range map[string]string{file: `{"routes":[` + route + `]}`, text: `{"a":7}`} {
		if err := os.WriteFile(name, []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	for body, want := range map[string]string{
		`{"a":7}`: "goes to /apisix/routes/1, by /apisix/routes/1", "@" + text: "goes to /apisix/routes/1, by /apisix/routes/1",
		`{"a":8}`: "post_arg.a is 8", "": "post_arg.a is not there (the question has no body)",
	} {
		if got := explained(t, 0, "", "--config", file, "-H", "Content-Type: application/json", "--body", body, "http://a.example/"); !strings.Contains(got, want) {
			t.Errorf("%s: got %s, want %s", body, got, want)
		}
	}
}

func TestExplainRefusesWhatItCannotRead(t *testing.T) {
	dir := t.TempDir()
	for want, list := range map[int][]string{
		exitBadFlags: {"", "--config a --state-dir b http://a/", "--head - http://a/", "nonsense", "--http-router x http://a/", "--max 0 http://a/", "--body @" + dir + "/none http://a/", "--nonsense"},
		exitFailed:   {"--config " + dir + "/none http://a/", "--state-dir " + dir + " http://a/"},
	} {
		for _, args := range list {
			explained(t, want, "", strings.Fields(args)...)
		}
	}
}

func TestExplainSaysWhatWasAskedInVain(t *testing.T) {
	api := httptest.NewServer(http.NotFoundHandler()) // as the status listener is
	defer api.Close()
	etcd := etcdtest.Start(t)
	for _, tc := range []struct{ args, want string }{
		{"http://a/ --control " + api.URL, " is no control API of a gateway"},
		{"GET --etcd " + etcd.Endpoint() + " http://a/ --prefix /nope", "etcd has nothing below /nope at revision "},
	} {
		e := &explaining{}
		if err := e.parse(strings.Fields(tc.args), none, strings.NewReader("")); err != nil {
			t.Errorf("%s: %v", tc.args, err)
			continue
		}
		q, err := e.form.Question()
		if err != nil {
			t.Fatal(err)
		}
		if _, err = e.answer(t.Context(), q); err == nil || !strings.Contains(err.Error(), tc.want) {
			t.Errorf("%s: got %v, want %s", tc.args, err, tc.want)
		}
	}
}
