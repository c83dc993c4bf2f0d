package lbc

import (
	"regexp"
	"strings"
)

// The kinds of resources, as they are spelled in paths.
const (
	kindVPC      = "vpcs"
	kindPort     = "ports"
	kindLB       = "load-balancers"
	kindListener = "listeners"
	kindRule     = "rules"
	kindTG       = "target-groups"
)

// namePattern is what ids of tenant objects look like. Its length keeps
// "lbc.<lb>.<listener>.<rule>" within the 64 characters of an APISIX id.
var namePattern = regexp.MustCompile(`^[a-z0-9]([a-z0-9-]{0,17})$`)

// A ref names one resource: its kind and the ids on its path, outermost first.
type ref struct {
	kind  string
	names [3]string
}

// kindPaths lists, for each kind, the path of kinds that leads to it.
var kindPaths = map[string][]string{
	kindVPC:      {kindVPC},
	kindPort:     {kindVPC, kindPort},
	kindLB:       {kindLB},
	kindListener: {kindLB, kindListener},
	kindRule:     {kindLB, kindListener, kindRule},
	kindTG:       {kindTG},
}

func portRef(v, ip string) ref       { return ref{kindPort, [3]string{v, ip}} }
func listenerRef(lb, l string) ref   { return ref{kindListener, [3]string{lb, l}} }
func ruleRef(lb, l, rule string) ref { return ref{kindRule, [3]string{lb, l, rule}} }
func tgRef(tg string) ref            { return ref{kindTG, [3]string{tg}} }

// depth is the number of ids on the path.
func (r ref) depth() int { return len(kindPaths[r.kind]) }

// name is the id of the resource itself.
func (r ref) name() string { return r.names[r.depth()-1] }

// parent is the resource that contains r; ok is false at the top.
func (r ref) parent() (p ref, ok bool) {
	path := kindPaths[r.kind]
	if len(path) == 1 {
		return ref{}, false
	}
	p = ref{kind: path[len(path)-2], names: r.names}
	p.names[len(path)-1] = ""
	return p, true
}

// String is the resource's path in the REST interface, without "/v1/".
func (r ref) String() string {
	var b strings.Builder
	for i, kind := range kindPaths[r.kind] {
		if i > 0 {
			b.WriteByte('/')
		}
		b.WriteString(kind + "/" + r.names[i])
	}
	return b.String()
}

// key is the resource's key in etcd: grouped by kind, so that a collection is
// one directory.
func (r ref) key() string {
	return modelPrefix + r.kind + "/" + strings.Join(r.names[:r.depth()], "/")
}

// parseModelKey is the inverse of key.
func parseModelKey(key string) (ref, bool) {
	rest, ok := strings.CutPrefix(key, modelPrefix)
	if !ok {
		return ref{}, false
	}
	parts := strings.Split(rest, "/")
	r := ref{kind: parts[0]}
	if len(kindPaths[r.kind]) == 0 || len(parts)-1 != r.depth() {
		return ref{}, false
	}
	copy(r.names[:], parts[1:])
	return r, true
}
