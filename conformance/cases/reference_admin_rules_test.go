package cases

import (
	"encoding/json"
	"fmt"
	"maps"
	"net/netip"
	"reflect"
	"regexp"
	"slices"
	"strconv"
	"strings"
)

// kindName is a kind in messages.
func kindName(kind string) string {
	switch {
	case strings.HasSuffix(kind, "/credentials"):
		return "credential"
	case strings.HasPrefix(kind, "secrets"):
		return "secret"
	}
	return referenceKinds[kind]
}

// refuses says what is wrong with an object apart from its id and times.
func (g *reference) refuses(kind, id string, v object) string {
	for _, name := range []string{"host", "remote_addr"} {
		if kind == "routes" && v[name] != nil && v[name+"s"] != nil && !g.is("knows no pairs") {
			return fmt.Sprintf("only one of %s or %ss is allowed", name, name)
		}
	}
	if kind == "plugin_metadata" {
		return g.refusesMetadata(id, v)
	}
	manager, isSecret := strings.CutPrefix(kind, "secrets/")
	if isSecret && !slices.Contains([]string{"vault", "aws", "gcp"}, manager) && !g.is("takes any manager") {
		return "invalid secret manager: " + manager
	}
	checked := maps.Clone(v)
	if checked == nil {
		checked = object{}
	}
	if kind != "consumers" {
		checked["id"] = "1"
	}
	if sketch := sketches[kindName(kind)]; !isSecret || manager == "vault" {
		if msg := g.breaks(sketch, checked); msg != "" {
			return "invalid configuration: " + msg
		}
	}
	if up, ok := v["upstream"].(object); ok {
		if msg := g.refusesUpstream(up, false); msg != "" {
			return msg
		}
	}
	if kind == "upstreams" {
		if msg := g.refusesUpstream(v, true); msg != "" {
			return msg
		}
	}
	if msg := g.refusesVars(v); msg != "" {
		return msg
	}
	switch kind {
	case "ssls":
		return g.wrongSSL(v)
	case "protos":
		if content, _ := v["content"].(string); strings.Contains(content, "Missing") && !g.is("compiles nothing") {
			return "invalid content: Missing is not defined"
		}
	}
	return g.refusesPlugins(kind, v)
}

var hashNames = regexp.MustCompile(`^[a-zA-Z0-9-_]+$`)

func (g *reference) refusesUpstream(up object, own bool) string {
	lets := own && g.is("lets bad nodes in")
	nodes, _ := up["nodes"].(object)
	for addr, weight := range nodes {
		f, ok := weight.(float64)
		_, port, _ := strings.Cut(addr, ":")
		n, err := strconv.Atoi(port)
		switch {
		case (!ok || f < 0) && !lets:
			return `invalid configuration: property "nodes" validation failed: object matches none of the required`
		case port != "" && (err != nil || n < 1 || n > 65535) && !g.is("looks at no ports"):
			return "invalid port " + port
		}
	}
	listed, _ := up["nodes"].([]any)
	for _, n := range listed {
		m, _ := n.(object)
		p, given := m["port"].(float64)
		host, _ := m["host"].(string)
		switch {
		case given && (p < 1 || p > 65535) && !lets:
			return `invalid configuration: property "nodes" validation failed: object matches none of the required`
		case strings.Count(host, ":") > 1 && !strings.HasPrefix(host, "[") && !g.is("takes bare IPv6"):
			return "invalid configuration: IPv6 address must be enclosed with '[' and ']'"
		}
	}
	if up["pass_host"] == "rewrite" && up["upstream_host"] == nil && !g.is("rewrites with nothing") {
		return "`upstream_host` can't be empty when `pass_host` is `rewrite`"
	}
	key, given := up["key"].(string)
	switch {
	case up["type"] != "chash" || g.is("hashes nothing"):
	case !given && up["hash_on"] != "consumer":
		return "missing key"
	case (up["hash_on"] == "header" || up["hash_on"] == "cookie") && !hashNames.MatchString(key):
		return "invalid configuration: failed to match pattern " + strconv.Quote(hashNames.String()) + " with " + strconv.Quote(key)
	}
	return ""
}

var referenceOperators = []string{"==", "~=", ">", ">=", "<", "<=", "~~", "~*", "in", "has", "ipmatch"}

func (g *reference) refusesVars(v object) string {
	vars, _ := v["vars"].([]any)
	if g.is("compiles no vars") {
		return ""
	}
	if msg := wrongVars(vars); msg != "" {
		return "failed to validate the 'vars' expression: " + msg
	}
	return ""
}

func wrongVars(vars []any) string {
	if len(vars) > 0 {
		if word, ok := vars[0].(string); ok && slices.Contains([]string{"AND", "OR", "!AND", "!OR"}, strings.ToUpper(word)) {
			vars = vars[1:]
		}
	}
	for _, item := range vars {
		rule, ok := item.([]any)
		if !ok {
			return "rule should be wrapped inside brackets"
		}
		if len(rule) > 0 {
			word, isWord := rule[0].(string)
			if _, nested := rule[0].([]any); nested || isWord && slices.Contains([]string{"AND", "OR", "!AND", "!OR"}, strings.ToUpper(word)) {
				if msg := wrongVars(rule); msg != "" {
					return msg
				}
				continue
			}
		}
		op, value := any("=="), any(nil)
		switch len(rule) {
		case 0, 1:
			return "rule too short"
		case 2:
		case 3:
			op, value = rule[1], rule[2]
		case 4:
			if rule[1] != "!" {
				return "bad 'not' expression"
			}
			op, value = rule[2], rule[3]
		default:
			return "invalid expression"
		}
		if !slices.Contains(referenceOperators, strings.ToLower(fmt.Sprint(op))) {
			return fmt.Sprintf("invalid operator '%v'", op)
		}
		addresses, _ := value.([]any)
		for _, a := range addresses {
			_, err1 := netip.ParseAddr(fmt.Sprint(a))
			_, err2 := netip.ParsePrefix(fmt.Sprint(a))
			if op == "ipmatch" && err1 != nil && err2 != nil {
				return "invalid ip address"
			}
		}
	}
	return ""
}

// referencePlugins are plugins: priority, schema for routes, for consumers, of
// metadata.
var referencePlugins = map[string]struct {
	priority           int
	auth               bool
	onRoute, onUser    object
	metadata           object
	unique, subsystems string
}{
	"real-ip": {priority: 23000}, "cors": {priority: 4000}, "ip-restriction": {priority: 3000, subsystems: "http stream"}, "proxy-mirror": {priority: 1010},
	"key-auth":   {priority: 2500, auth: true, unique: "key", onRoute: of("header", "string"), onUser: object{"required": []any{"key"}, "properties": object{"key": object{"type": "string"}}}},
	"basic-auth": {priority: 2520, auth: true, unique: "username"}, "proxy-rewrite": {priority: 1008}, "limit-count": {priority: 1002}, "brotli": {priority: 996}, "gzip": {priority: 995},
	"redirect": {priority: 900}, "response-rewrite": {priority: 899}, "grpc-transcode": {priority: 506}, "prometheus": {priority: 500},
	"http-logger": {priority: 410, metadata: of("log_format", "object")}, "proxy-control": {priority: 21990}, "mqtt-proxy": {priority: 1000, subsystems: "stream"},
	"request-id": {priority: 12015}, "csrf": {priority: 2980},
}

func of(field, kind string) object {
	return object{"properties": object{field: object{"type": kind}}}
}

func (g *reference) refusesPlugins(kind string, v object) string {
	plugins, _ := v["plugins"].(object)
	onUser := kind == "consumers" || strings.HasSuffix(kind, "/credentials")
	before := ""
	if onUser {
		before = "invalid plugins configuration: "
	}
	for _, name := range slices.Sorted(maps.Keys(plugins)) {
		p, known := referencePlugins[name]
		conf, isObject := plugins[name].(object)
		schema := p.onRoute
		if onUser {
			schema = p.onUser
		}
		meta, _ := conf["_meta"].(object)
		isOff := meta["disable"] == true && !g.is("checks plugins that are off")
		switch {
		case !known && !g.is("takes every plugin"):
			return before + "unknown plugin [" + name + "]"
		case !isObject && !g.is("takes every plugin"):
			b, _ := json.Marshal(plugins[name])
			return fmt.Sprintf("%sinvalid plugin conf %s for plugin [%s]", before, b, name)
		case strings.HasSuffix(kind, "/credentials") && !p.auth && !g.is("any plugin is a credential"):
			return "only supports auth type plugins in consumer credential"
		case !isOff && !g.is("checks no plugins"):
			if msg := g.breaks(schema, conf); msg != "" {
				return before + "failed to check the configuration of plugin " + name + " err: " + msg
			}
		}
	}
	return ""
}

// groupOf is the group that limit-count names in an object, and what it says of it.
func (g *reference) groupOf(v object) (name any, says object) {
	plugins, _ := v["plugins"].(object)
	conf, _ := plugins["limit-count"].(object)
	meta, _ := conf["_meta"].(object)
	if conf["group"] == nil || meta["disable"] == true && !g.is("checks plugins that are off") {
		return nil, nil
	}
	says = object{}
	if !g.is("compares groups without defaults") {
		says = object{"rejected_code": 503.0, "policy": "local"}
	}
	maps.Copy(says, conf)
	delete(says, "_meta")
	return conf["group"], says
}

func (g *reference) refusesGroup(path string, v object) string {
	name, says := g.groupOf(v)
	for other, o := range g.objects {
		of, said := g.groupOf(o.value)
		if name != nil && of == name && other != path && !reflect.DeepEqual(said, says) && !g.is("groups disagree") {
			return "failed to check the configuration of plugin limit-count err: group conf mismatched"
		}
	}
	return ""
}

func (g *reference) refusesMetadata(name string, v object) string {
	p, known := referencePlugins[name]
	switch {
	case name == "":
		return "missing plugin name"
	case !known && !g.is("metadata of anything"):
		return "invalid plugin name"
	}
	if msg := g.breaks(p.metadata, v); msg != "" {
		return "invalid configuration: " + msg
	}
	return ""
}
