package apisix_test

import (
	"encoding/json"
	"fmt"
	"reflect"
	"strings"
	"testing"

	"github.com/unilb/unilb/impl/apisix"
)

func ptr[T any](v T) *T { return &v }

func TestDecodeRoute(t *testing.T) {
	r, err := apisix.DecodeRoute("7", []byte(`{"id":7,"uris":["/a","/b/*"],"hosts":["a.com","*.b.com"],"methods":["GET"],"priority":-3,
		"vars":[["arg_x","==","1"]],"service_id":12,"upstream_id":"u","plugins":{"p":{"b":1,"a":"<"}},"timeout":{"connect":1,"send":2.5,"read":3},
		"status":0,"enable_websocket":true,"name":"n","labels":{"k":"v"},"create_time":1,"update_time":2}`))
	if err != nil {
		t.Fatal(err)
	}
	want := &apisix.Route{
		ID: "7", URIs: []string{"/a", "/b/*"}, Hosts: []string{"a.com", "*.b.com"}, Methods: []string{"GET"}, Priority: -3,
		ServiceID: "12", UpstreamID: "u",
		Timeout: &apisix.Timeout{Connect: 1, Send: 2.5, Read: 3}, Status: ptr(0), EnableWebsocket: ptr(true),
	}
	if !reflect.DeepEqual(r, want) {
		t.Errorf("got  %+v\nwant %+v", r, want)
	}
	if r.Enabled() {
		t.Error("status 0 is enabled")
	}
}

func TestListCountsAloneWhereOneIsThereToo(t *testing.T) {
	for _, tc := range []struct{ body, want string }{
		{`"uri":"/a"`, "[/a] [] []"},
		{`"uris":["/a","/b"]`, "[/a /b] [] []"},
		{`"uri":"/a","uris":["/b","/c"]`, "[/b /c] [] []"},
		{`"uri":"/a","hosts":["b","c"],"remote_addrs":["10.0.0.2"]`, "[/a] [b c] [10.0.0.2]"},
		{`"uri":"/a","host":"a","remote_addr":"10.0.0.1"`, "[/a] [a] [10.0.0.1]"},
	} {
		r, err := apisix.DecodeRoute("1", []byte("{"+tc.body+`,"plugins":{}}`))
		if err != nil {
			t.Fatalf("%s: %v", tc.body, err)
		}
		if got := fmt.Sprint(r.URIs, r.Hosts, r.RemoteAddrs); got != tc.want {
			t.Errorf("%s: got %s, want %s", tc.body, got, tc.want)
		}
	}
}

func TestPriorityKeepsSixtyThreeBits(t *testing.T) {
	for text, want := range map[string]int64{
		"274877906944": 1 << 38, "9007199254740993": 1<<53 + 1, "-5": -5, "10.0": 10, "1e3": 1000, "1e30": 1<<63 - 1, "-1e30": -1 << 63,
	} {
		r, err := apisix.DecodeRoute("1", []byte(`{"uri":"/","plugins":{},"priority":`+text+`}`))
		if err != nil || r.Priority != want {
			t.Errorf("priority %s: got %v, %v, want %d", text, r, err, want)
		}
	}
}

func TestUpstreamDefaults(t *testing.T) {
	u, err := apisix.DecodeUpstream("1", []byte(`{"nodes":[],"keepalive_pool":{"size":5},"checks":{"active":{"http_path":"/h","healthy":{"interval":3}},"passive":{}}}`))
	if err != nil {
		t.Fatal(err)
	}
	want := &apisix.Upstream{
		ID: "1", Nodes: []apisix.Node{}, Type: "roundrobin", HashOn: "vars", Scheme: "http", PassHost: "pass",
		KeepalivePool: &apisix.KeepalivePool{Size: 5, IdleTimeout: 60, Requests: 1000},
		Checks: &apisix.Checks{
			Active: &apisix.ActiveCheck{
				Type: "http", Timeout: 1, Concurrency: 10, HTTPMethod: "GET", HTTPPath: "/h", HTTPSVerifyCertificate: true,
				Healthy:   apisix.ActiveHealthy{Interval: 3, Successes: 2, HTTPStatuses: []int{200, 302}},
				Unhealthy: apisix.ActiveUnhealthy{Interval: 1, HTTPStatuses: []int{429, 404, 500, 501, 502, 503, 504, 505}, HTTPFailures: 5, TCPFailures: 2, Timeouts: 3},
			},
			Passive: &apisix.PassiveCheck{
				Type: "http",
				Healthy: apisix.PassiveHealthy{Successes: 5, HTTPStatuses: []int{200, 201, 202, 203, 204, 205, 206, 207, 208, 226,
					300, 301, 302, 303, 304, 305, 306, 307, 308}},
				Unhealthy: apisix.PassiveUnhealthy{HTTPStatuses: []int{429, 500, 503}, HTTPFailures: 5, TCPFailures: 2, Timeouts: 7},
			},
		},
	}
	if !reflect.DeepEqual(u, want) {
		t.Errorf("got  %+v\nwant %+v", u, want)
	}
}

func TestNodesOfBothForms(t *testing.T) {
	for _, tc := range []struct {
		nodes string
		want  []apisix.Node
	}{
		{`{}`, []apisix.Node{}},
		{`[]`, []apisix.Node{}},
		{`{"z.com:80":1,"a.com":2,"[::1]:81":0,"[fe80::2]":3}`, []apisix.Node{
			{Host: "z.com", Port: 80, Weight: 1}, {Host: "a.com", Weight: 2}, {Host: "::1", Port: 81}, {Host: "fe80::2", Weight: 3},
		}},
		{`[{"host":"10.0.0.1","port":8080,"weight":5,"priority":-1,"metadata":{"unilb":{"zone":"az1"}}},{"host":"[::1]","weight":1}]`, []apisix.Node{
			{Host: "10.0.0.1", Port: 8080, Weight: 5, Priority: -1, Metadata: json.RawMessage(`{"unilb":{"zone":"az1"}}`)}, {Host: "::1", Weight: 1},
		}},
	} {
		u, err := apisix.DecodeUpstream("1", []byte(`{"nodes":`+tc.nodes+`}`))
		if err != nil || !reflect.DeepEqual(u.Nodes, tc.want) {
			t.Errorf("%s: got %+v, %v\nwant %+v", tc.nodes, u, err, tc.want)
		}
		r, err := apisix.DecodeRoute("1", []byte(`{"uri":"/","upstream":{"nodes":`+tc.nodes+`}}`))
		if err != nil || !reflect.DeepEqual(r.Upstream.Nodes, tc.want) {
			t.Errorf("inline %s: got %+v, %v\nwant %+v", tc.nodes, r, err, tc.want)
		}
	}
}

func TestMemberNamesAreCaseSensitive(t *testing.T) {
	u, err := apisix.DecodeUpstream("1", []byte(`{"nodes":[{"host":"a","Host":"b","weight":1,"WEIGHT":5}]}`))
	if err != nil || u.Nodes[0].Host != "a" || u.Nodes[0].Weight != 1 {
		t.Errorf("got %+v, %v", u, err)
	}
}

// Objects that APISIX itself has written, before and after it stopped storing
// defaults, load.
func TestDecodeWhatApisixWrites(t *testing.T) {
	for _, text := range []string{
		`{"id":"1","uri":"\/hello","priority":0,"status":1,"upstream":{"type":"roundrobin","hash_on":"vars","pass_host":"pass","scheme":"http","nodes":{"127.0.0.1:1980":1}},"create_time":1602883670,"update_time":1602893670}`,
		`{"id":"1","uri":"/hello","methods":{},"upstream":{"nodes":{}},"vars":{}}`,
		`{"uri":"/x","script":"return {}--------","upstream_id":1}`,
		`{"uri":"/x","remote_addr":"10.0.0.0/8","upstream_id":1}`,
		`{"uri":"/x","remote_addrs":["::1","fd00::/8","1.2.3.4"],"upstream_id":1}`,
	} {
		if _, err := apisix.DecodeRoute("1", []byte(text)); err != nil {
			t.Errorf("%s: %v", text, err)
		}
	}
	if _, err := apisix.DecodeService("1", []byte(`{}`)); err != nil {
		t.Errorf("empty service: %v", err)
	}
	s, err := apisix.DecodeService("s", []byte(`{"hosts":["a"],"upstream":{"nodes":{"b:1":1}},"enable_websocket":false}`))
	if err != nil || s.ID != "s" || len(s.Hosts) != 1 || s.Upstream.Nodes[0].Host != "b" || *s.EnableWebsocket {
		t.Errorf("got %+v, %v", s, err)
	}
}

func TestErrorTexts(t *testing.T) {
	type decoder func(string, []byte) error
	route := func(id string, b []byte) error { _, err := apisix.DecodeRoute(id, b); return err }
	service := func(id string, b []byte) error { _, err := apisix.DecodeService(id, b); return err }
	upstream := func(id string, b []byte) error { _, err := apisix.DecodeUpstream(id, b); return err }
	const inv = "invalid configuration: "
	const brackets = inv + "IPv6 address must be enclosed with '[' and ']'"
	for _, tc := range []struct {
		decode     decoder
		text, want string
	}{
		{route, `{"upstream_id":1}`, inv + `object matches none of the required: ["plugins","uri"] or`},
		{route, `{"uri":"","upstream_id":1}`, inv + `property "uri" validation failed: string too short, expected at least 1, got 0`},
		{route, `{"uris":[],"upstream_id":1}`, inv + `property "uris" validation failed: expect array to have at least 1 items`},
		{route, `{"uris":["/","/"],"upstream_id":1}`, inv + `property "uris" validation failed: expected unique items but items 1 and 2 are equal`},
		{route, `{"uri":"/","upstream_id":1,"methods":["GOT"]}`, inv + `property "methods" validation failed: failed to validate item 1: matches none of the enum values`},
		{route, `{"uri":"/","upstream_id":1,"host":"a.com/"}`, inv + `property "host" validation failed: failed to match pattern "^\\*$|^\\*?[0-9a-zA-Z-._\\[\\]:]+$" with "a.com/"`},
		{route, `{"uri":"/","upstream_id":1,"remote_addr":"a","remote_addrs":["a"]}`, `only one of remote_addr or remote_addrs is allowed`},
		{route, `{"uri":"/","upstream_id":1,"remote_addr":"1.2.3"}`, inv + `property "remote_addr" validation failed: object matches none of the required`},
		{route, `{"uri":"/","upstream_id":1,"status":2}`, inv + `property "status" validation failed: matches none of the enum values`},
		{route, `{"uri":"/","upstream_id":1,"timeout":{"connect":1,"send":0,"read":1}}`, inv + `property "timeout" validation failed: property "send" validation failed: expected 0 to be greater than 0`},
		{route, `{"uri":"/","upstream_id":1,"timeout":{"connect":1,"send":1}}`, inv + `property "timeout" validation failed: property "read" is required`},
		{route, `{"uri":"/","plugins":{},"script":"return {}----"}`, inv + `value wasn't supposed to match schema`},
		{route, `{"uri":"/","upstream":{"nodes":{},"foo":1}}`, inv + `property "upstream" validation failed: additional properties forbidden, found foo`},
		{route, `{"uri":"/","upstream":{"nodes":{"a:0":1}}}`, `invalid port 0`},
		{route, `{"uri":"/","upstream":{}}`, inv + `property "upstream" validation failed: value should match only one schema, but matches none`},
		{route, `{"uri":"/","upstream_id":1,"vars":[["arg_x","=","1"]]}`, `failed to validate the 'vars' expression: invalid operator '='`},
		{route, `{"uri":"/","upstream_id":1,"vars":["arg_x","==","1"]}`, `failed to validate the 'vars' expression: rule should be wrapped inside brackets`},
		{route, `{"uri":"/","upstream_id":1,"vars":[["arg_x"]]}`, `failed to validate the 'vars' expression: rule too short`},
		{route, `{"uri":"/","upstream_id":1,"vars":[["arg_x","not","==","1"]]}`, `failed to validate the 'vars' expression: bad 'not' expression`},
		{route, `{"uri":"/","upstream_id":1,"vars":[["remote_addr","ipmatch",["1.2.3.0/24","x"]]]}`, `failed to validate the 'vars' expression: invalid ip address`},
		{route, `{"uri":"/","upstream_id":1,"vars":["OR",["a","==","1"]]}`, `failed to validate the 'vars' expression: rule too short`},
		{service, `{"foo":1}`, inv + `additional properties forbidden, found foo`},
		{service, `{"hosts":"a"}`, inv + `property "hosts" validation failed: wrong type: expected array, got string`},
		{service, `{"upstream":{"nodes":{"a:65536":1}}}`, `invalid port 65536`},
		{upstream, `{}`, inv + `value should match only one schema, but matches none`},
		{upstream, `{"nodes":{},"service_name":"a","discovery_type":"dns"}`, inv + `value should match only one schema, but matches both schemas 1 and 2`},
		{upstream, `{"nodes":{"a:1":-1}}`, inv + `property "nodes" validation failed: object matches none of the required`},
		{upstream, `{"nodes":[{"host":"a"}]}`, inv + `property "nodes" validation failed: object matches none of the required`},
		{upstream, `{"nodes":[{"host":"::1","weight":1}]}`, brackets},
		{upstream, `{"nodes":{"::1:80":1}}`, brackets},
		{upstream, `{"nodes":{"a:65536":1}}`, `invalid port 65536`},
		{upstream, `{"nodes":{},"pass_host":"rewrite"}`, "`upstream_host` can't be empty when `pass_host` is `rewrite`"},
		{upstream, `{"nodes":{},"type":"chash"}`, `missing key`},
		{upstream, `{"nodes":{},"type":"chash","key":"nope"}`, inv + `failed to match pattern "^((uri|`},
		{upstream, `{"nodes":{},"type":"chash","hash_on":"header","key":"a b"}`, inv + `failed to match pattern "^[a-zA-Z0-9-_]+$" with "a b"`},
		{upstream, `{"nodes":{},"type":"chash","hash_on":"header","key":"a\tb"}`, inv + `failed to match pattern "^[a-zA-Z0-9-_]+$" with "a\9b"`},
		{upstream, `{"nodes":{},"retries":-1}`, inv + `property "retries" validation failed: expected -1 to be at least 0`},
		{upstream, `{"nodes":{},"checks":{"passive":{}}}`, inv + `property "checks" validation failed: object matches none of the required: ["active"] or ["active","passive"]`},
		{upstream, `{"nodes":{},"checks":{"active":{"healthy":{"successes":300}}}}`,
			inv + `property "checks" validation failed: property "active" validation failed: property "healthy" validation failed: property "successes" validation failed: expected 300 to be at most 254`},
		{upstream, `{"nodes":{},"tls":{"client_cert_id":1,"client_cert":"$secret://a/b/c","client_key":"$env://K"}}`, inv + `property "tls" validation failed: failed to validate dependent schema for`},
		{upstream, `{"nodes":{},"labels":{"a":"b c"}}`, inv + `property "labels" validation failed: failed to validate a (matching ".*"): failed to match pattern "^\\S+$" with "b c"`},
		{upstream, `[1]`, inv + `wrong type: expected object, got table`},
	} {
		err := tc.decode("1", []byte(tc.text))
		if err == nil || !strings.HasPrefix(err.Error(), tc.want) {
			t.Errorf("%s:\ngot  %v\nwant %s", tc.text, err, tc.want)
		}
	}
	for _, text := range []string{
		`{"nodes":{},"type":"chash","key":"remote_addr"}`, `{"nodes":{},"type":"chash","key":"arg_x"}`, `{"nodes":{},"type":"chash","hash_on":"consumer"}`,
		`{"nodes":{},"type":"chash","hash_on":"vars_combinations","key":"$host$uri"}`, `{"nodes":{},"type":"custom"}`,
		`{"nodes":{},"pass_host":"rewrite","upstream_host":"a"}`, `{"service_name":"a","discovery_type":"dns"}`,
	} {
		if err := upstream("1", []byte(text)); err != nil {
			t.Errorf("%s: %v", text, err)
		}
	}
}

// FuzzDecode: no input crashes, what is accepted can be stored, and what was
// stored means the same as what was given.
func FuzzDecode(f *testing.F) {
	f.Add([]byte(`{"uri":"/","upstream":{"nodes":{"a:1":1,"[::1]:2":0},"checks":{"active":{}}}}`))
	f.Add([]byte(`{"uri":"/","upstream_id":1e1,"vars":[["AND",["a","==",1],["b","!","in",[1]]]],"priority":1e400}`))
	f.Add([]byte(`{"nodes":[{"host":"[::1]","port":80,"weight":1}],"retries":1e0}`))
	f.Add([]byte(`{"nodes":{"a:1":1,"a:1":2,"b":1}}`))
	f.Fuzz(func(t *testing.T, b []byte) {
		o, err := apisix.Parse(b)
		if err != nil {
			return
		}
		stored := o.Encode()
		r1, e1 := apisix.DecodeRoute("1", b)
		r2, e2 := apisix.DecodeRoute("1", stored)
		if (e1 == nil) != (e2 == nil) || !reflect.DeepEqual(r1, r2) {
			t.Errorf("route: %+v %v, stored %+v %v", r1, e1, r2, e2)
		}
		u1, e1 := apisix.DecodeUpstream("1", b)
		u2, e2 := apisix.DecodeUpstream("1", stored)
		if (e1 == nil) != (e2 == nil) || !reflect.DeepEqual(u1, u2) {
			t.Errorf("upstream: %+v %v, stored %+v %v", u1, e1, u2, e2)
		}
	})
}
