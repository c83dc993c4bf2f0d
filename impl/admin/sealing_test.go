package admin_test

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"github.com/unilb/unilb/impl/certs/certstest"
)

// sealing looks for texts in etcd that must not stand there in clear.
type sealing struct {
	a    *api
	dumb []string // texts that must not be found
}

// never returns a text that must not be found in etcd any more.
func (s *sealing) never(text string) string {
	s.dumb = append(s.dumb, text)
	return text
}

// key is a private key, as JSON and with its certificate.
func (s *sealing) key() (cert, key string) {
	cert, key = certstest.PEM(s.a.t, certstest.SelfSigned(s.a.t, "a.example"))
	s.never(strings.Split(key, "\n")[1])
	quote := func(text string) string { b, _ := json.Marshal(text); return string(b) }
	return quote(cert), quote(key)
}

// search looks through all of etcd, the history included.
func (s *sealing) search(after string) {
	s.a.t.Helper()
	kvs, _, err := s.a.st.List(s.a.t.Context(), "/")
	if err != nil {
		s.a.t.Fatal(err)
	}
	if len(kvs) == 0 {
		s.a.t.Fatal("etcd is empty")
	}
	for _, kv := range kvs {
		for _, text := range s.dumb {
			if strings.Contains(string(kv.Value), text) {
				s.a.t.Errorf("after %s: %s holds %s in clear", after, kv.Key, text)
			}
		}
	}
}

func TestNoSecretStandsInClearInEtcdWhicheverWayItIsWritten(t *testing.T) {
	t.Parallel()
	s := &sealing{a: newAPI(t)}
	n := 0
	secret := func() string { n++; return s.never(fmt.Sprintf("hunter%04d", n)) }
	do := func(code int, line, body string) {
		t.Helper()
		s.a.must(code, line, body)
		s.search(line)
	}
	tls := func() string {
		cert, key := s.key()
		return `"tls":{"client_cert":` + cert + `,"client_key":` + key + `}`
	}
	part := func() string { cert, key := s.key(); return `{"client_cert":` + cert + `,"client_key":` + key + `}` }
	ssl := func(more string) string {
		cert, key := s.key()
		cert2, key2 := s.key()
		return `{` + more + `"cert":` + cert + `,"key":` + key + `,"certs":[` + cert2 + `],"keys":[` + key2 + `]}`
	}
	up := func() string { return `{"nodes":{"127.0.0.1:1":1},"scheme":"https",` + tls() + `}` }
	csrf := func() string { return `"plugins":{"csrf":{"key":"` + secret() + `"}}` }

	do(201, "PUT /ssls/1", ssl(`"sni":"a.example",`))
	do(201, "POST /ssls", ssl(`"sni":"b.example",`))
	do(200, "PATCH /ssls/1", ssl(`"sni":"c.example",`))
	cert, key := s.key()
	do(200, "PATCH /ssls/1", `{"certs":null,"keys":null,"cert":`+cert+`,"key":`+key+`}`)
	do(200, "PATCH /ssls/1/key", key)
	do(200, "PATCH /ssls/1/", ssl(`"sni":"d.example",`))
	do(201, "PUT /upstreams/1", up())
	do(201, "POST /upstreams", up())
	do(200, "PATCH /upstreams/1", `{`+tls()+`}`)
	do(200, "PATCH /upstreams/1/tls", part())
	for _, res := range []string{"routes", "services"} {
		uri := map[string]string{"routes": `"uri":"/",`}[res]
		do(201, "PUT /"+res+"/1", `{`+uri+`"upstream":`+up()+`,`+csrf()+`}`)
		do(201, "POST /"+res, `{`+uri+`"upstream":`+up()+`,`+csrf()+`}`)
		do(200, "PATCH /"+res+"/1", `{"upstream":{`+tls()+`},`+csrf()+`}`)
		do(200, "PATCH /"+res+"/1/upstream/tls", part())
		do(200, "PATCH /"+res+"/1/plugins/csrf", `{"key":"`+secret()+`"}`)
		do(200, "PATCH /"+res+"/1/plugins/csrf/key", `"`+secret()+`"`)
	}
	do(201, "PUT /stream_routes/1", `{"server_port":1,"upstream":`+up()+`}`)
	do(201, "POST /stream_routes", `{"server_port":1,"upstream":`+up()+`}`)
	for _, res := range []string{"global_rules", "plugin_configs", "consumer_groups"} {
		redis := func() string {
			return `"limit-count":{"count":1,"time_window":60,"policy":"redis","redis_host":"127.0.0.1","redis_password":"` + secret() + `"}`
		}
		do(201, "PUT /"+res+"/1", `{"plugins":{`+redis()+`}}`)
		do(200, "PATCH /"+res+"/1", `{"plugins":{`+redis()+`}}`)
		do(200, "PATCH /"+res+"/1/plugins/limit-count/redis_password", `"`+secret()+`"`)
	}
	do(201, "PUT /consumers", `{"username":"jack","plugins":{"key-auth":{"key":"`+secret()+`"}}}`)
	do(200, "PUT /consumers/jack", `{"username":"jack","plugins":{"basic-auth":{"username":"j","password":"`+secret()+`"}}}`)
	do(201, "PUT /consumers/jack/credentials/1", `{"plugins":{"jwt-auth":{"key":"jack","secret":"`+secret()+`"}}}`)
	do(201, "PUT /consumers/jack/credentials/2", `{"plugins":{"hmac-auth":{"key_id":"jack","secret_key":"`+secret()+`"}}}`)

	// Deleted, all of it is in the history still.
	do(200, "DELETE /ssls/1", "")
	do(200, "DELETE /consumers/jack", "")
	// And what was sealed opens again.
	if r := s.a.must(200, "GET /routes/1", ""); !strings.Contains(r.raw, `"key":"hunter`) {
		t.Errorf("got %s, want the secret in clear", r.raw)
	}
}

func TestNoSecretOfAWholeConfigurationStandsInClearInEtcd(t *testing.T) {
	t.Parallel()
	s := &sealing{a: newStandalone(t)}
	cert, key := s.key()
	cert2, key2 := s.key()
	body := `{"ssls":[{"id":"1","sni":"a.example","cert":` + cert + `,"key":` + key + `}],
		"upstreams":[{"id":"1","nodes":{"127.0.0.1:1":1},"tls":{"client_cert":` + cert2 + `,"client_key":` + key2 + `}}],
		"routes":[{"id":"1","uri":"/","upstream_id":"1","plugins":{"csrf":{"key":"` + s.never("hunter-route") + `"}}}],
		"consumers":[{"username":"jack","plugins":{"key-auth":{"key":"` + s.never("hunter-consumer") + `"}}}]}`
	s.a.replace(202, body, "X-Digest", "1")
	s.search("PUT /configs")
}
