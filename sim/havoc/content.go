package havoc

import (
	"crypto/sha256"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"net/netip"
	"slices"
	"strings"

	"github.com/unilb/unilb/sim/stored"
	"github.com/unilb/unilb/topology"
)

// A Content is what a store holds below a prefix at one moment.
type Content struct {
	prefix  string
	objects map[string][]byte // by key
	bad     map[string]string // by key: what is wrong
	refs    map[netip.AddrPort]topology.Ref
}

// Read takes a store's objects. Targets are those of the Plan.
func Read(prefix string, objects []stored.Object, targets map[topology.Ref]netip.AddrPort) *Content {
	c := &Content{prefix: prefix, objects: map[string][]byte{}, bad: map[string]string{}, refs: map[netip.AddrPort]topology.Ref{}}
	for _, o := range objects {
		if strings.HasPrefix(o.Key, prefix+"/") {
			c.objects[o.Key] = o.Value
		}
	}
	for _, p := range stored.Check(prefix, objects) {
		c.bad[p.Key] = p.Why
	}
	for ref, at := range targets {
		c.refs[at] = ref
	}
	return c
}

// Junk are the keys of what nobody can use, sorted: objects that are none, and what
// lies where nobody reads.
func (c *Content) Junk() []string {
	out := c.Bad()
	for key := range c.objects {
		if strings.HasPrefix(key, c.prefix+nowhere+"/") {
			out = append(out, key)
		}
	}
	slices.Sort(out)
	return slices.Compact(out)
}

// Bad are the keys of the objects that are none, sorted: those that a gateway refuses.
func (c *Content) Bad() []string { return slices.Sorted(keys(c.bad)) }

// Len is how many keys there are.
func (c *Content) Len() int { return len(c.objects) }

// Hash is that which a gateway tells that refuses nothing and has all of it in force
// (docs/wire.md).
func (c *Content) Hash() string {
	var sum uint64
	for key, value := range c.objects {
		if strings.HasSuffix(key, "/") {
			continue
		}
		h := sha256.Sum256(slices.Concat([]byte(key), []byte{0}, value))
		sum += binary.BigEndian.Uint64(h[:])
	}
	return fmt.Sprintf("%016x", sum)
}

// A Question is a request whose answer a Content knows.
type Question struct{ Host, Path string }

// Questions ask for all that a Plan may have routed, and for what it has not.
func Questions() []Question {
	var out []Question
	for h := range hosts {
		for _, p := range []string{"/", "/a/", "/a/b", "/a/b/c"} {
			out = append(out, Question{hostName(h), p})
		}
	}
	return out
}

// An Answer is what a gateway must say: one of the backends answers, or nobody does
// and the gateway has this status.
type Answer struct {
	Backends []topology.Ref
	Status   int
}

// Answer says what a gateway must answer that has the content in force. It is not
// known where a bad object has a say: gateways keep the last good version of it, if
// they have seen one.
func (c *Content) Answer(q Question) (a Answer, known bool) {
	var best *route
	for at, p := range paths {
		key := fmt.Sprintf("%s/routes/r%s-%d", c.prefix, strings.TrimSuffix(strings.TrimPrefix(q.Host, "h"), ".havoc.example"), at)
		if !matches(p, q.Path) {
			continue
		}
		r, there, good := decoded[route](c, key)
		switch {
		case !good:
			return Answer{}, false
		case there && (r.Status == nil || *r.Status != 0):
			best = r // paths are in the order in which later ones are more to the point
		}
	}
	if best == nil {
		return Answer{Status: 404}, true
	}
	return c.follow(best)
}

func matches(pattern, path string) bool {
	if before, star := strings.CutSuffix(pattern, "*"); star {
		return strings.HasPrefix(path, before)
	}
	return pattern == path
}

// What the model knows of objects.
type (
	route struct {
		Status *int `json:"status"`
		service
		ServiceID      string `json:"service_id"`
		PluginConfigID string `json:"plugin_config_id"`
	}
	service struct {
		Upstream   *upstream `json:"upstream"`
		UpstreamID string    `json:"upstream_id"`
	}
	upstream struct {
		Nodes json.RawMessage `json:"nodes"`
	}
)

// decoded reads an object, if it is there. It is not good when it is bad.
func decoded[T any](c *Content, key string) (v *T, there, good bool) {
	if c.bad[key] != "" {
		return nil, true, false
	}
	value, there := c.objects[key]
	if !there {
		return nil, false, true
	}
	v = new(T)
	return v, true, json.Unmarshal(value, v) == nil
}

// follow finds the targets of a route: its own upstream, the one that it names, or
// those of its service. Without the plugins that it names it serves nobody.
func (c *Content) follow(r *route) (a Answer, known bool) {
	if r.PluginConfigID != "" {
		if _, there, good := decoded[struct{}](c, c.prefix+"/plugin_configs/"+r.PluginConfigID); !there || !good {
			return Answer{Status: 503}, good
		}
	}
	s := &r.service
	if r.ServiceID != "" && s.Upstream == nil && s.UpstreamID == "" {
		of, there, good := decoded[service](c, c.prefix+"/services/"+r.ServiceID)
		if !there || !good {
			return Answer{Status: 404}, good
		}
		s = of
	}
	u := s.Upstream
	if u == nil {
		if s.UpstreamID == "" {
			return Answer{Status: 503}, true
		}
		of, there, good := decoded[upstream](c, c.prefix+"/upstreams/"+s.UpstreamID)
		if !there || !good {
			return Answer{Status: 502}, good
		}
		u = of
	}
	for _, at := range nodesOf(u.Nodes) {
		ref, ours := c.refs[at]
		if !ours {
			return Answer{}, false
		}
		a.Backends = append(a.Backends, ref)
	}
	if len(a.Backends) == 0 {
		a.Status = 503
	}
	return a, true
}

// nodesOf reads both forms of a list of nodes.
func nodesOf(text json.RawMessage) []netip.AddrPort {
	var list []struct {
		Host string `json:"host"`
		Port uint16 `json:"port"`
	}
	var out []netip.AddrPort
	if json.Unmarshal(text, &list) == nil {
		for _, n := range list {
			at, err := netip.ParseAddr(n.Host)
			if err != nil {
				return []netip.AddrPort{{}} // nobody's
			}
			out = append(out, netip.AddrPortFrom(at, n.Port))
		}
		return out
	}
	var weights map[string]int
	_ = json.Unmarshal(text, &weights) // neither form: no node, as for the gateway
	for text := range weights {
		at, _ := netip.ParseAddrPort(text)
		out = append(out, at)
	}
	return out
}
