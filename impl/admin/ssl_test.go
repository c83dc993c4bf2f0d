package admin_test

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"github.com/unilb/unilb/impl/certs/certstest"
)

// stored is what etcd holds.
func (a *api) stored(key string) string {
	a.t.Helper()
	kv, ok, _, err := a.st.Get(a.t.Context(), key)
	if err != nil || !ok {
		a.t.Fatalf("%s: %v %v", key, ok, err)
	}
	return string(kv.Value)
}

func TestPrivateKeysAreStoredSealedAndNeverShown(t *testing.T) {
	a := newAPI(t)
	cert, key := certstest.JSON(t, "a")
	cert2, key2 := certstest.JSON(t, "a")
	body := fmt.Sprintf(`{"snis":["a.example"],"cert":%s,"key":%s,"certs":[%s],"keys":[%s]}`, cert, key, cert2, key2)
	check := func(what string, r reply) {
		t.Helper()
		v, _ := r.body["value"].(map[string]any)
		if list, ok := r.body["list"].([]any); ok {
			first, _ := list[0].(map[string]any)
			v, _ = first["value"].(map[string]any)
		}
		text, err := json.Marshal(v["cert"])
		if _, one := v["key"]; one || v["keys"] != nil || err != nil || string(text) != cert || strings.Contains(r.raw, "PRIVATE") {
			t.Errorf("%s answers %s", what, r.raw)
		}
		kept := a.stored("/apisix/ssls/1")
		if strings.Contains(kept, "PRIVATE") || !strings.Contains(kept, `"key":"`) || !strings.Contains(kept, `"keys":["`) {
			t.Errorf("after %s etcd holds %s", what, kept)
		}
	}
	check("PUT", a.must(201, "PUT /ssls/1", body))
	before := a.stored("/apisix/ssls/1")
	check("GET", a.must(200, "GET /ssls/1", ""))
	check("list", a.must(200, "GET /ssls", ""))
	check("PATCH", a.must(200, "PATCH /ssls/1", `{"status":0}`))
	var was, is map[string]any
	if json.Unmarshal([]byte(before), &was) != nil || json.Unmarshal([]byte(a.stored("/apisix/ssls/1")), &is) != nil || was["key"] != is["key"] {
		t.Errorf("a patch of something else changed the key: %v, then %v", was["key"], is["key"])
	}
	if r := a.call("PATCH /ssls/1/key", key2); r.code != 400 {
		t.Errorf("a key that is not the certificate's: %d %s", r.code, r.raw)
	}
	check("PATCH of the key", a.must(200, "PATCH /ssls/1/key", key))
	sealed, _ := is["key"].(string)
	again := strings.Replace(body, key, fmt.Sprintf("%q", sealed), 1)
	check("PUT of what was stored", a.must(200, "PUT /ssls/1", again))
	if r := a.must(400, "PUT /ssls/1", strings.Replace(body, key, `"`+strings.Repeat("AAAA", 32)+`"`, 1)); r.body["error_msg"] != "failed to decrypt previous encrypted key" {
		t.Errorf("a foreign seal: %s", r.raw)
	}
	if r := a.call("POST /ssls", body); r.code != 201 || strings.Contains(r.raw, `"key"`+`:"`+sealed[:8]) {
		t.Errorf("POST: %d %s", r.code, r.raw)
	}
}

func TestClientKeysOfUpstreamsAreStoredSealed(t *testing.T) {
	a := newAPI(t)
	cert, key := certstest.JSON(t, "a")
	up := fmt.Sprintf(`{"nodes":{"b:1":1,"a:1":1},"scheme":"https","tls":{"client_cert":%s,"client_key":%s}}`, cert, key)
	a.must(201, "PUT /upstreams/1", up)
	a.must(201, "PUT /routes/1", `{"uri":"/","upstream":`+up+`}`)
	a.must(201, "PUT /services/1", `{"upstream":`+up+`}`)
	for _, k := range []string{"upstreams/1", "routes/1", "services/1"} {
		if v := a.stored("/apisix/" + k); strings.Contains(v, "PRIVATE") || !strings.Contains(v, `"b:1":1,"a:1":1`) {
			t.Errorf("%s: etcd holds %s", k, v)
		}
	}
	a.must(200, "PATCH /upstreams/1", `{"retries":1}`) // its key must still be readable
}

func TestUpstreamRefersToAClientCertificate(t *testing.T) {
	a := newAPI(t)
	cert, key := certstest.JSON(t, "a")
	a.must(201, "PUT /ssls/server", fmt.Sprintf(`{"sni":"a.example","cert":%s,"key":%s}`, cert, key))
	a.must(201, "PUT /ssls/client", fmt.Sprintf(`{"type":"client","cert":%s,"key":%s}`, cert, key))
	up := func(id string) string { return `{"nodes":{},"tls":{"client_cert_id":"` + id + `"}}` }
	for id, want := range map[string]string{
		"none":   "failed to fetch ssl info by ssl id [none], response code: 404",
		"server": "failed to fetch ssl info by ssl id [server], wrong ssl type",
	} {
		for line, body := range map[string]string{
			"PUT /upstreams/1": up(id), "PUT /routes/1": `{"uri":"/","upstream":` + up(id) + `}`, "PUT /services/1": `{"upstream":` + up(id) + `}`,
		} {
			if r := a.must(400, line, body); r.body["error_msg"] != want {
				t.Errorf("%s: got %s, want %s", line, r.raw, want)
			}
		}
	}
	a.must(201, "PUT /upstreams/1", up("client"))
	a.must(200, "DELETE /ssls/client", "") // APISIX does not look who uses it
}
