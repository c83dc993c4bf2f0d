package cases

import (
	"cmp"
	"fmt"
	"hash/fnv"
	"maps"
	"math"
	"math/rand/v2"
	"net"
	"net/http"
	"slices"
	"time"
)

// A node is a target of an upstream.
type node struct {
	target   string
	weight   int
	priority float64
}

// nodesOf are the nodes of an upstream, in either form.
func (g *reference) nodesOf(name string, up object) []node {
	var out []node
	whole := func(v any) int { f, _ := v.(float64); return int(f) }
	m, _ := up["nodes"].(object)
	for _, target := range slices.Sorted(maps.Keys(m)) {
		out = append(out, node{target: target, weight: whole(m[target])})
	}
	list, _ := up["nodes"].([]any)
	for _, e := range list {
		n, _ := e.(object)
		priority, _ := n["priority"].(float64)
		out = append(out, node{fmt.Sprintf("%s:%d", n["host"], whole(n["port"])), whole(n["weight"]), priority})
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.first[name] == nil {
		g.first[name] = out
	}
	if g.is("keeps the first weights") {
		return g.first[name]
	}
	if g.is("knows sixteen targets") {
		return out[:min(len(out), 16)]
	}
	return out
}

// pick chooses a target that was not tried; empty: there is none.
func (g *reference) pick(name, round string, up object, nodes []node, r *http.Request, tried map[string]bool) string {
	g.mu.Lock()
	defer g.mu.Unlock()
	all := slices.Clone(nodes)
	for i := range all {
		if g.is("ignores weights") || g.is("serves weight 0") && all[i].weight == 0 {
			all[i].weight = 1
		}
	}
	well := slices.DeleteFunc(slices.Clone(all), func(n node) bool { return n.weight == 0 || g.out(name, n.target) })
	if len(well) == 0 && !g.is("gives up when all are sick") {
		well = all
	}
	left := slices.DeleteFunc(well, func(n node) bool { return n.weight == 0 || tried[n.target] })
	if left = g.highest(left, tried); len(left) == 0 {
		return ""
	}
	if g.is("asks one target only") {
		return g.loyalTo(name, left)
	}
	switch up["type"] {
	case "chash":
		return g.hashed(up, left, r)
	case "least_conn":
		if !g.is("counts no requests") {
			return g.idlest(left)
		}
	}
	return g.inTurn(round, left)
}

// highest keeps the nodes of the highest priority.
func (g *reference) highest(nodes []node, tried map[string]bool) []node {
	if g.is("ignores priorities") {
		return nodes
	}
	if g.is("stays within one priority") && len(tried) > 0 {
		return nil
	}
	top := math.Inf(-1)
	for _, n := range nodes {
		top = max(top, n.priority)
	}
	return slices.DeleteFunc(nodes, func(n node) bool { return n.priority < top })
}

// inTurn is smooth weighted round robin.
func (g *reference) inTurn(round string, nodes []node) string {
	turns := g.turns[round]
	if turns == nil {
		turns = map[string]int{}
		g.turns[round] = turns
	}
	if g.is("picks at random") {
		return nodes[rand.IntN(len(nodes))].target
	}
	total := 0
	for _, n := range nodes {
		total += n.weight
	}
	if g.is("sends shares in bursts") {
		at := turns[""] % total
		turns[""]++
		for _, n := range nodes {
			if at -= n.weight; at < 0 {
				return n.target
			}
		}
	}
	best := ""
	for _, n := range nodes {
		if turns[n.target] += n.weight; best == "" || turns[n.target] > turns[best] {
			best = n.target
		}
	}
	turns[best] -= total
	return best
}

func (g *reference) idlest(nodes []node) string {
	return slices.MinFunc(nodes, func(a, b node) int {
		return (g.active[a.target]+1)*b.weight - (g.active[b.target]+1)*a.weight
	}).target
}

// hashed gives each node a score for the key of the request and takes the best:
// when a node leaves, only its keys move.
func (g *reference) hashed(up object, nodes []node, r *http.Request) string {
	key := g.keyOf(up, r)
	switch {
	case g.is("hashes connections"):
		key = r.RemoteAddr
	case g.is("ignores keys"):
		key = ""
	case g.is("hashes modulo"):
		return nodes[hash64(key)%uint64(len(nodes))].target
	}
	return slices.MaxFunc(nodes, func(a, b node) int {
		if score(key, a) < score(key, b) {
			return -1
		}
		return 1
	}).target
}

func score(key string, n node) float64 {
	return -float64(n.weight) / math.Log((float64(hash64(key+"\x00"+n.target)>>11)+0.5)/(1<<53))
}

func hash64(s string) uint64 {
	h := fnv.New64a()
	_, _ = h.Write([]byte(s)) // never fails
	x := h.Sum64()            // of short keys its upper bits are alike
	x = (x ^ x>>33) * 0xff51afd7ed558ccd
	return x ^ x>>33
}

// keyOf is what an upstream of the type chash hashes.
func (g *reference) keyOf(up object, r *http.Request) string {
	name, _ := up["key"].(string)
	client, _, _ := net.SplitHostPort(r.RemoteAddr)
	key := ""
	switch up["hash_on"] {
	case "header":
		key = r.Header.Get(name)
	case "cookie":
		if c, err := r.Cookie(name); err == nil {
			key = c.Value
		}
		if g.is("hashes the whole Cookie") {
			key = r.Header.Get("Cookie")
		}
	default:
		if name == "uri" {
			key = r.URL.Path
			if g.is("hashes the query too") {
				key = r.RequestURI
			}
		}
	}
	if key == "" {
		return client
	}
	return key
}

// loyalTo is the target that took a connection first, for ever after.
func (g *reference) loyalTo(name string, left []node) string {
	if g.loyal == nil {
		g.loyal = map[string]string{}
	}
	for _, n := range left {
		if c, err := net.DialTimeout("tcp", n.target, time.Second); err == nil && g.loyal[name] == "" {
			_ = c.Close()
			g.loyal[name] = n.target
		}
	}
	return cmp.Or(g.loyal[name], left[0].target)
}
