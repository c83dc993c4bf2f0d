package havoc

import (
	_ "embed"
	"encoding/json"
	"fmt"
	"iter"
	"maps"
	"math/rand/v2"
	"net/netip"
	"path"
	"strings"

	"github.com/unilb/unilb/topology"
)

// The verbs of an Edit.
const (
	Put    = "put"
	Patch  = "patch"
	Delete = "delete"
)

// An Edit is one change of the configuration.
type Edit struct {
	// Straight goes past the Admin API into the store.
	Straight bool   `json:"straight,omitempty"`
	Verb     string `json:"verb"`
	Key      string `json:"key"` // below the prefix: "/routes/r3"
	Value    string `json:"value,omitempty"`
	// Size is that of a value of nothing but "x".
	Size int `json:"size,omitempty"`
	// Junk says what is wrong with the value; "" when nothing is.
	Junk string `json:"junk,omitempty"`
}

// Bytes are the value.
func (e Edit) Bytes() []byte {
	if e.Size > 0 {
		return []byte(strings.Repeat("x", e.Size))
	}
	return []byte(e.Value)
}

// How many objects there may be of a kind that routes are made of. Few: they are to
// meet often.
const (
	hosts     = 8
	upstreams = 6
	services  = 5
	configs   = 3
	others    = 3
)

// paths of the routes of a host, each the path of one route.
var paths = []string{"/*", "/a/*", "/a/b"}

//go:embed cert.pem
var certificate string

//go:embed key.pem
var privateKey string

// A writer makes up edits.
type writer struct {
	rng     *rand.Rand
	targets map[topology.Ref]netip.AddrPort
	refs    []topology.Ref
	passing []string // keys of objects that will be deleted once and never come again
}

// object is JSON in the making.
type object map[string]any

func (w *writer) one(in ...string) string      { return in[w.rng.IntN(len(in))] }
func (w *writer) chance(percent int) bool      { return w.rng.IntN(100) < percent }
func (w *writer) name(of string, n int) string { return fmt.Sprintf("%s%d", of, w.rng.IntN(n)) }

// edit is the nth edit: nine of ten are good ones, one in four goes straight into
// the store.
func (w *writer) edit(n int) Edit {
	if w.chance(10) {
		return w.junk(n)
	}
	e := Edit{Straight: w.chance(20), Verb: Put}
	var value object
	switch e.Key, value = w.object(); {
	case w.chance(10):
		e.Key, value = fmt.Sprintf("/routes/once%d", n), object{"host": fmt.Sprintf("once%d.havoc.example", n), "uri": "/*", "upstream": w.upstream()}
		w.passing = append(w.passing, e.Key)
	case w.chance(10) && len(w.passing) > 0: // who misses this has the object for ever
		e.Verb, e.Key, w.passing = Delete, w.passing[0], w.passing[1:]
		return e
	}
	switch {
	case strings.HasPrefix(e.Key, "/stream_routes/"): // an Admin API without streams takes none
		e.Straight = true
	case !e.Straight && strings.HasPrefix(e.Key, "/upstreams/") && w.chance(30):
		e.Verb, value = Patch, object{"nodes": w.nodes(), "desc": fmt.Sprintf("edit %d", n)}
	}
	if w.chance(20) {
		e.Verb = Delete
		return e
	}
	dir, id, _ := strings.Cut(e.Key[1:], "/")
	if dir != "secrets" {
		id = path.Base(id)
	}
	if _, named := value["username"]; !named && e.Verb == Put && dir != "plugin_metadata" {
		value["id"] = id
	}
	if e.Straight && dir != "plugin_metadata" { // the Admin API says when an object was made
		value["create_time"], value["update_time"] = n+1, n+1
	}
	text, _ := json.Marshal(value) // plain data
	e.Value = string(text)
	return e
}

// object makes up an object that is good, and its key. Three of four are what routes
// are made of.
func (w *writer) object() (key string, value object) {
	switch p := w.rng.IntN(100); {
	case p < 40:
		return w.route()
	case p < 58:
		return "/upstreams/" + w.name("u", upstreams), w.upstream()
	case p < 72:
		v := object{"desc": "of havoc"}
		if w.chance(50) {
			v["upstream_id"] = w.name("u", upstreams)
		} else {
			v["upstream"] = w.upstream()
		}
		return "/services/" + w.name("s", services), v
	case p < 77:
		return "/plugin_configs/" + w.name("p", configs), object{"plugins": object{"request-id": object{}}}
	}
	return w.other()
}

// route makes up a route. Which host and path it has follows from its id, so that no
// two routes are after the same requests.
func (w *writer) route() (key string, value object) {
	host, at := w.rng.IntN(hosts), w.rng.IntN(len(paths))
	v := object{"host": hostName(host), "uri": paths[at]}
	switch w.rng.IntN(3) {
	case 0:
		v["upstream"] = w.upstream()
	case 1:
		v["upstream_id"] = w.name("u", upstreams)
	default:
		v["service_id"] = w.name("s", services)
	}
	if w.chance(15) {
		v["plugin_config_id"] = w.name("p", configs)
	}
	if w.chance(10) {
		v["status"] = 0
	}
	return fmt.Sprintf("/routes/r%d-%d", host, at), v
}

// kept makes up the route that will be spoilt.
func (w *writer) kept(target topology.Ref) Edit {
	v := object{"id": "kept", "host": Kept.Host, "uri": "/*", "upstream": object{"type": "roundrobin", "nodes": object{w.targets[target].String(): 1}}}
	text, _ := json.Marshal(v) // plain data
	return Edit{Verb: Put, Key: keptKey, Value: string(text)}
}

// hostName is the nth name that routes are for.
func hostName(n int) string { return fmt.Sprintf("h%d.havoc.example", n) }

func (w *writer) upstream() object {
	v := object{"type": "roundrobin", "nodes": w.nodes()}
	if w.chance(20) {
		v["retries"], v["pass_host"] = w.rng.IntN(3), "pass"
	}
	return v
}

// nodes are some of the targets; one time in ten there are none.
func (w *writer) nodes() any {
	weights, list := object{}, []object{}
	if !w.chance(10) {
		for range 1 + w.rng.IntN(3) {
			at := w.targets[w.refs[w.rng.IntN(len(w.refs))]]
			if _, twice := weights[at.String()]; twice {
				continue
			}
			weights[at.String()] = 1 + w.rng.IntN(5)
			list = append(list, object{"host": at.Addr().String(), "port": at.Port(), "weight": weights[at.String()]})
		}
	}
	if w.chance(50) {
		return list
	}
	return weights
}

// other makes up an object that no request of ours can tell.
func (w *writer) other() (key string, value object) {
	n := w.rng.IntN(others)
	switch w.rng.IntN(10) {
	case 0: // a plugin is in one rule only
		plugin := []string{"prometheus", "request-id", "cors"}[n]
		return "/global_rules/" + plugin, object{"plugins": object{plugin: object{}}}
	case 1:
		return fmt.Sprintf("/consumers/c%d", n), object{"username": fmt.Sprintf("c%d", n), "plugins": object{"key-auth": object{"key": fmt.Sprintf("key-%d", n)}}}
	case 2:
		return fmt.Sprintf("/consumers/c%d/credentials/x", n), object{"plugins": object{"basic-auth": object{"username": fmt.Sprintf("name-%d", n), "password": "secret"}}}
	case 3:
		return fmt.Sprintf("/consumer_groups/g%d", n), object{"plugins": object{"request-id": object{}}}
	case 4, 5:
		return fmt.Sprintf("/ssls/t%d", n), object{"cert": certificate, "key": privateKey, "snis": []string{fmt.Sprintf("t%d.havoc.example", n)}}
	case 6:
		return fmt.Sprintf("/protos/m%d", n), object{"content": `syntax = "proto3"; package havoc; message M { string s = 1; }`}
	case 7:
		return fmt.Sprintf("/secrets/vault/v%d", n), object{"uri": "http://192.0.2.1:8200", "prefix": "kv", "token": "t"}
	case 8:
		return "/plugin_metadata/http-logger", object{"log_format": object{"host": fmt.Sprintf("$host %d", w.rng.IntN(1000))}}
	default:
		return fmt.Sprintf("/stream_routes/x%d", n), object{"server_port": 9000 + n, "upstream": w.upstream()}
	}
}

// junk makes up what nobody should have written. Half of it is in the place of an
// object that may be a good one.
func (w *writer) junk(n int) Edit {
	e := Edit{Straight: true, Verb: Put}
	dir := w.one("routes", "routes", "services", "upstreams", "ssls", "global_rules", "plugin_configs", "consumers", "consumer_groups", "protos")
	e.Key = fmt.Sprintf("/%s/junk%d", dir, w.rng.IntN(20))
	if w.chance(50) {
		for {
			e.Key, _ = w.object()
			if !strings.HasPrefix(e.Key, "/plugin_metadata/") { // where anything goes
				break
			}
		}
	}
	switch w.rng.IntN(12) {
	case 0, 1, 2:
		e.Junk, e.Value = "not JSON", fmt.Sprintf(`}{ %d`, n)
	case 3, 4:
		e.Junk, e.Value = "no object", fmt.Sprintf(`["/", %d]`, n)
	case 5, 6, 7:
		e.Junk, e.Value = "wrong types", fmt.Sprintf(`{"uri":%d,"upstream":"x","nodes":7,"plugins":[1],"username":[],"cert":3,"content":{}}`, n)
	case 8, 9:
		e.Junk, e.Value = "an unknown member", fmt.Sprintf(`{"havoc":%d}`, n)
	case 10:
		e.Junk, e.Size = "1 MiB of nothing", 1<<20
	default:
		e.Key = fmt.Sprintf("%s/n%d", nowhere, w.rng.IntN(5))
		e.Junk, e.Value = "a directory that nobody knows", fmt.Sprintf("edit %d", n)
	}
	return e
}

// nowhere is a directory that nobody reads.
const nowhere = "/nowhere"

func keys[K comparable, V any](m map[K]V) iter.Seq[K] { return maps.Keys(m) }
