package model

import "fmt"

// Minimal is the least that a gateway can be asked for: one host, one path, one
// target.
func Minimal() *Model {
	m, err := Build(1, []Object{{Kind: Routes, ID: "hello", Created: 1, Body: []byte(`{"host": "hello.example", "uri": "/*", "upstream": {"nodes": {"192.0.2.10:8080": 1}}}`)}})
	if err != nil {
		panic(err) // a constant
	}
	return m
}

// A Try is a question to a template: can it express this?
type Try struct {
	What    string
	Objects []Object
}

// Tries are questions from the simplest to the rare, each with no more objects
// than it needs. The answers show what a manifest may claim.
func Tries() []Try {
	const up = `"upstream": {"type": "roundrobin", "nodes": {"192.0.2.10:8080": 1}}`
	route := func(fields string) []Object {
		return []Object{{Kind: Routes, ID: "hello", Body: []byte(`{"uri": "/*", ` + fields + `}`)}}
	}
	target := func(fields string) []Object {
		return route(fmt.Sprintf(`"host": "hello.example", "upstream": {%s}`, fields))
	}
	const two = `"nodes": {"192.0.2.10:8080": 3, "192.0.2.11:8080": 1}`
	tries := []Try{
		{"a route for a host", route(`"host": "hello.example", ` + up)},
		{"a route without a host", route(up)},
		{"hosts with a wildcard", route(`"hosts": ["hello.example", "*.hello.example"], ` + up)},
		{"an exact path", []Object{{Kind: Routes, ID: "hello", Body: []byte(`{"uris": ["/exact", "/"], ` + up + `}`)}}},
		{"a star in the middle of a path", []Object{{Kind: Routes, ID: "hello", Body: []byte(`{"uri": "/a/*/z", ` + up + `}`)}}},
		{"methods", route(`"methods": ["GET", "POST"], ` + up)},
		{"priorities", append(route(`"priority": 10, `+up), Object{Kind: Routes, ID: "other", Body: []byte(`{"uri": "/*", ` + up + `}`)})},
		{"a service and an upstream of their own", []Object{
			{Kind: Upstreams, ID: "u", Body: []byte(`{"type": "roundrobin", ` + two + `}`)},
			{Kind: Services, ID: "s", Body: []byte(`{"upstream_id": "u", "hosts": ["hello.example"]}`)},
			{Kind: Routes, ID: "hello", Body: []byte(`{"uri": "/*", "service_id": "s"}`)}}},
		{"a route whose service is gone", route(`"service_id": "gone"`)},
		{"weights", target(two)},
		{"a target without weight", target(`"nodes": {"192.0.2.10:8080": 1, "192.0.2.11:8080": 0}`)},
		{"retries and timeouts", target(two + `, "retries": 1, "retry_timeout": 3, "timeout": {"connect": 0.5, "send": 2, "read": 3}`)},
		{"targets of a lower priority", target(`"nodes": [{"host": "192.0.2.10", "port": 8080, "weight": 1}, {"host": "192.0.2.11", "port": 8080, "weight": 1, "priority": -1}]`)},
		{"websockets", route(`"enable_websocket": true, ` + up)},
		{"the target's address as Host", target(two + `, "pass_host": "node"`)},
		{"another Host", target(two + `, "pass_host": "rewrite", "upstream_host": "inner.example"`)},
		{"fewest connections", target(two + `, "type": "least_conn"`)},
		{"consistent hashing by address", target(two + `, "type": "chash", "key": "remote_addr"`)},
		{"consistent hashing by header", target(two + `, "type": "chash", "hash_on": "header", "key": "X-Session"`)},
		{"consistent hashing by cookie", target(two + `, "type": "chash", "hash_on": "cookie", "key": "session"`)},
		{"fastest answers (ewma)", target(two + `, "type": "ewma"`)},
		{"active health checks", target(two + `, "checks": {"active": {"type": "http", "http_path": "/health", "healthy": {"interval": 1, "successes": 2}, "unhealthy": {"interval": 1, "http_failures": 2}}}`)},
		{"passive health checks", target(two + `, "checks": {"active": {}, "passive": {"unhealthy": {"tcp_failures": 2}}}`)},
		{"https to the targets", target(two + `, "scheme": "https"`)},
		{"gRPC to the targets", target(two + `, "scheme": "grpc"`)},
		{"a certificate", []Object{{Kind: SSLs, ID: "c", Body: []byte(`{"snis": ["hello.example", "*.hello.example"], "cert": "-----BEGIN CERTIFICATE-----", "key": "-----BEGIN PRIVATE KEY-----"}`)}}},
		{"vars", route(`"vars": [["arg_a", "==", "1"]], ` + up)},
		{"client addresses", route(`"remote_addrs": ["192.0.2.0/24"], ` + up)},
		{"a plugin", route(`"plugins": {"proxy-rewrite": {"uri": "/x"}}, ` + up)},
		{"a global rule", []Object{{Kind: GlobalRules, ID: "g", Body: []byte(`{"plugins": {"prometheus": {}}}`)}}},
	}
	for i := range tries {
		for j := range tries[i].Objects {
			tries[i].Objects[j].Created = int64(j + 1)
		}
	}
	return tries
}
