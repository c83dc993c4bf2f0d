package admin_test

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/unilb/unilb/impl/admin"
	"github.com/unilb/unilb/impl/apisix"
)

func TestSecretsOfPluginsAreStoredSealedAndShownInClear(t *testing.T) {
	t.Parallel()
	a := newAPI(t)
	conf := func(password string) string {
		return fmt.Sprintf(`"limit-count":{"count":1,"time_window":60,"policy":"redis","redis_host":"127.0.0.1","redis_password":%q}`, password)
	}
	kept := func(what, plain string) {
		t.Helper()
		if s := a.stored("/apisix/routes/1"); strings.Contains(s, plain) || !strings.Contains(s, `"redis_password":"`) {
			t.Errorf("after %s etcd holds %s", what, s)
		}
	}
	shows := func(what string, r reply, plain string) {
		t.Helper()
		if !strings.Contains(r.raw, fmt.Sprintf(`"redis_password":%q`, plain)) {
			t.Errorf("%s answers %s, want the password %s", what, r.raw, plain)
		}
	}
	shows("PUT", a.must(201, "PUT /routes/1", `{"uri":"/","plugins":{`+conf("hunter2hunter2")+`}}`), "hunter2hunter2")
	kept("PUT", "hunter2")
	if s := a.stored("/apisix/routes/1"); !strings.Contains(s, `"redis_password":"wQ8kQ7P7emSEn7acZ27xag=="`) {
		t.Errorf("not as a data plane of APISIX opens it: %s", s)
	}
	shows("GET", a.must(200, "GET /routes/1", ""), "hunter2hunter2")
	shows("list", a.must(200, "GET /routes", ""), "hunter2hunter2")
	before := a.stored("/apisix/routes/1")
	shows("PATCH of something else", a.must(200, "PATCH /routes/1", `{"desc":"x"}`), "hunter2hunter2")
	if after := a.stored("/apisix/routes/1"); strings.Replace(after, `"desc":"x",`, "", 1) != before {
		t.Errorf("a patch of something else changed more:\n%s\n%s", before, after)
	}
	shows("PATCH", a.must(200, "PATCH /routes/1", `{"plugins":{"limit-count":{"redis_password":"swordfish"}}}`), "swordfish")
	kept("PATCH", "swordfish")
	shows("PATCH of a part", a.must(200, "PATCH /routes/1/plugins/limit-count/redis_password", `"mellon"`), "mellon")
	kept("PATCH of a part", "mellon")

	// What looks sealed in a body is the secret itself.
	shows("PUT", a.must(200, "PUT /routes/1", `{"uri":"/","plugins":{`+conf("wQ8kQ7P7emSEn7acZ27xag==")+`}}`), "wQ8kQ7P7emSEn7acZ27xag==")
	kept("PUT of what looks sealed", "wQ8kQ7P7emSEn7acZ27xag==")
	shows("GET", a.must(200, "GET /routes/1", ""), "wQ8kQ7P7emSEn7acZ27xag==")

	a.must(201, "PUT /services/1", `{"plugins":{`+conf("$secret://vault/1/a/b")+`}}`)
	if s := a.stored("/apisix/services/1"); !strings.Contains(s, "$secret://vault/1/a/b") {
		t.Errorf("a reference was sealed: %s", s)
	}
}

func TestPlainSecretsAreStoredInClearAndSealedOnesStillOpened(t *testing.T) {
	t.Parallel()
	a := newAPI(t)
	const route = `{"uri":"/","plugins":{"csrf":{"key":"hunter2"}}}`
	a.must(201, "PUT /routes/sealed", route)
	ring, _, err := apisix.ParseKeyring("")
	if err != nil {
		t.Fatal(err)
	}
	h, err := admin.New(admin.Options{Store: a.st, Keyring: ring, PlainSecrets: true})
	if err != nil {
		t.Fatal(err)
	}
	ask := func(method, path, body string) string {
		w := httptest.NewRecorder()
		h.ServeHTTP(w, httptest.NewRequest(method, "/apisix/admin"+path, strings.NewReader(body)))
		return w.Body.String()
	}
	_ = ask(http.MethodPut, "/routes/plain", route)
	if s := a.stored("/apisix/routes/plain"); !strings.Contains(s, `"key":"hunter2"`) {
		t.Errorf("stored %s, want it in clear", s)
	}
	if s := ask(http.MethodGet, "/routes/sealed", ""); !strings.Contains(s, `"key":"hunter2"`) {
		t.Errorf("got %s, want it opened", s)
	}
}
