// Package corpus makes the configuration that benchmarks measure with: routes as
// deployments have them, with hosts, paths, methods, conditions, labels and plugins,
// and upstreams of their own or shared, at addresses where nobody need listen. It is pure: route i of a seed is always the
// same, so what measures a package and what measures a process speak of the same
// routes. Ids are random, so that neighbours in time are none in memory.
package corpus

import (
	"encoding/json"
	"fmt"
	"math/rand/v2"
)

// Upstreams is how many upstreams routes share.
const Upstreams = 1000

// routesOfHost is how many routes one host has.
const routesOfHost = 10

// A Corpus is a set of routes. The zero Corpus is one too. Safe for concurrent use.
type Corpus struct {
	Seed uint64
}

// A Route is one route, and a request that it is for.
type Route struct {
	ID string
	// Object is the route as the Admin API is given it, without id and times.
	Object map[string]any

	Host, Path, Method string
	Vars               map[string]string // variables, such as http_x_tenant, that its conditions ask for
}

func (c Corpus) rng(kind, i uint64) *rand.Rand { return rand.New(rand.NewPCG(c.Seed^kind, i)) }

const (
	ofRoutes    = 0x726f757465
	ofUpstreams = 0x757073
	ofHosts     = 0x686f7374
)

var (
	words   = []string{"orders", "cart", "users", "search", "media", "billing", "stock", "reports", "auth", "events", "rates", "notes"}
	teams   = []string{"shop", "payments", "platform", "growth", "data"}
	methods = [][]string{nil, nil, {"GET"}, {"GET", "HEAD"}, {"GET", "POST"}, {"GET", "POST", "PUT", "DELETE", "PATCH"}}
)

// Route returns route i.
func (c Corpus) Route(i int) Route {
	r := c.rng(ofRoutes, uint64(i))
	out := Route{ID: fmt.Sprintf("%016x", r.Uint64()), Method: "GET", Vars: map[string]string{}}
	host := c.host(i / routesOfHost)
	out.Host = host
	path := fmt.Sprintf("/api/v%d/%s/%d", 1+r.IntN(3), words[r.IntN(len(words))], i%routesOfHost)
	o := map[string]any{
		"name": fmt.Sprintf("%s-%d", words[r.IntN(len(words))], i), "desc": fmt.Sprintf("route %d of the team's service", i),
		"labels": map[string]string{"team": teams[r.IntN(len(teams))], "env": "production"},
	}
	switch hosts := []string{host, "www." + host}; r.IntN(10) {
	case 0:
		out.Host, o["host"] = "a."+host, "*."+host
	case 1, 2:
		o["hosts"] = hosts
	default:
		o["host"] = host
	}
	switch r.IntN(10) {
	case 0, 1, 2:
		o["uri"], out.Path = path, path
	case 3, 4:
		o["uris"], out.Path = []string{path, path + "/*"}, path+"/item"
	default:
		o["uri"], out.Path = path+"/*", path+"/list/7"
	}
	if m := methods[r.IntN(len(methods))]; m != nil {
		o["methods"] = m
	}
	if r.IntN(10) == 0 {
		o["priority"] = r.IntN(10)
	}
	c.conditions(r, o, out.Vars)
	c.plugins(r, o)
	if r.IntN(2) == 0 {
		o["upstream_id"] = c.UpstreamID(r.IntN(Upstreams))
	} else {
		o["upstream"] = c.upstream(r)
	}
	out.Object = o
	return out
}

// conditions adds vars to some routes.
func (Corpus) conditions(r *rand.Rand, o map[string]any, vars map[string]string) {
	switch r.IntN(10) {
	case 0, 1:
		tenant := fmt.Sprintf("t%d", r.IntN(500))
		o["vars"], vars["http_x_tenant"] = [][]any{{"http_x_tenant", "==", tenant}}, tenant
	case 2:
		o["vars"] = [][]any{{"arg_version", "in", []string{"1", "2", "3"}}, {"http_x_beta", "~=", "on"}}
		vars["arg_version"] = "2"
	case 3:
		o["vars"], vars["cookie_group"] = [][]any{{"cookie_group", "~~", "^(blue|green)$"}}, "green"
	}
}

// plugins adds one or two plugins to most routes.
func (Corpus) plugins(r *rand.Rand, o map[string]any) {
	p := map[string]any{}
	if r.IntN(2) == 0 {
		p["proxy-rewrite"] = map[string]any{"regex_uri": []string{"^/api/v[0-9]/(.*)", "/$1"}, "headers": map[string]any{"set": map[string]string{"X-From": "edge"}}}
	}
	switch r.IntN(4) {
	case 0:
		p["cors"] = map[string]any{"allow_origins": "https://app.example.com", "max_age": 600}
	case 1:
		p["prometheus"] = map[string]any{"prefer_name": true}
	case 2:
		p["limit-count"] = map[string]any{"count": 100 + r.IntN(900), "time_window": 60, "rejected_code": 429, "key": "remote_addr", "policy": "local"}
	}
	if len(p) > 0 {
		o["plugins"] = p
	}
}

func (c Corpus) host(i int) string {
	return fmt.Sprintf("h%08x.example.com", c.rng(ofHosts, uint64(i)).Uint32())
}

// UpstreamID is the id of shared upstream i.
func (c Corpus) UpstreamID(i int) string {
	return fmt.Sprintf("u%012x", c.rng(ofUpstreams, uint64(i)).Uint64()>>16)
}

// Upstream returns shared upstream i, below Upstreams.
func (c Corpus) Upstream(i int) (id string, object map[string]any) {
	r := c.rng(ofUpstreams, uint64(i))
	r.Uint64() // of its id
	u := c.upstream(r)
	u["name"] = fmt.Sprintf("pool-%d", i)
	return c.UpstreamID(i), u
}

func (Corpus) upstream(r *rand.Rand) map[string]any {
	nodes := map[string]int{}
	for range 2 {
		nodes[fmt.Sprintf("10.%d.%d.%d:8080", r.IntN(256), r.IntN(256), 1+r.IntN(254))] = 1
	}
	return map[string]any{"type": "roundrobin", "nodes": nodes, "timeout": map[string]int{"connect": 3, "send": 10, "read": 10}}
}

// Changed is a route's object as its n-th change leaves it: the conditions are what
// they were.
func (r Route) Changed(n int) map[string]any {
	o := make(map[string]any, len(r.Object))
	for k, v := range r.Object {
		o[k] = v
	}
	o["desc"] = fmt.Sprintf("change %d", n)
	return o
}

// Stored is an object as the Admin API leaves it in etcd.
func Stored(id string, object map[string]any) []byte {
	const created = 1_760_000_000
	o := map[string]any{"id": id, "create_time": created, "update_time": created}
	for k, v := range object {
		o[k] = v
	}
	b, err := json.Marshal(o)
	if err != nil {
		panic(err) // it is made of texts and numbers alone
	}
	return b
}
