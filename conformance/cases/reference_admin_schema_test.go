package cases

import (
	"encoding/json"
	"fmt"
	"maps"
	"math"
	"regexp"
	"slices"
	"strconv"
	"strings"
)

// sketches are schemas of kinds, as far as the cases go: what they do not mention
// may be anything.
var sketches = func() map[string]object {
	const (
		common   = `"id":{},"name":{"type":"string","minLength":1,"maxLength":256},"desc":{"type":"string","maxLength":256},"labels":{"type":"object","every":{"type":"string","pattern":"^\\S+$"}},"create_time":{},"update_time":{}`
		host     = `{"type":"string","pattern":"^\\*$|^\\*?[0-9a-zA-Z-._\\[\\]:]+$"}`
		seconds  = `{"type":"number","exclusiveMinimum":0}`
		timeout  = `{"type":"object","properties":{"connect":` + seconds + `,"send":` + seconds + `,"read":` + seconds + `},"required":["connect","send","read"]}`
		plugins  = `{"type":"object"}`
		upstream = `{"type":"object","properties":{` + common + `,"nodes":{},"retries":{"type":"integer","minimum":0},"retry_timeout":{},"timeout":` + timeout + `,
			"tls":{"type":"object","dependencies":{"client_cert":{"required":["client_key"]},"client_key":{"required":["client_cert"]}}},
			"keepalive_pool":{"type":"object","properties":{"size":{"type":"integer","minimum":1}}},"type":{"type":"string"},
			"checks":{"type":"object","properties":{"active":{"type":"object","properties":{"healthy":{"type":"object","properties":{"successes":{"type":"integer","minimum":1,"maximum":254}}}}}}},
			"hash_on":{"enum":["vars","header","cookie","consumer","vars_combinations"]},"key":{},"scheme":{"enum":["grpc","grpcs","http","https","tcp","tls","udp","kafka"]},
			"pass_host":{"enum":["pass","node","rewrite"]},"upstream_host":` + host + `,"service_name":{},"discovery_type":{},"discovery_args":{}},
			"oneOf":[{"required":["nodes"]},{"required":["service_name","discovery_type"]}],"additionalProperties":false}`
		route = `{"type":"object","properties":{` + common + `,"uri":{"type":"string","minLength":1,"maxLength":4096},"uris":{"type":"array","minItems":1,"uniqueItems":true,"items":{"type":"string"}},
			"priority":{"type":"integer"},"methods":{"type":"array","uniqueItems":true,"items":{"enum":["GET","POST","PUT","DELETE","PATCH","HEAD","OPTIONS","CONNECT","TRACE","PURGE"]}},
			"host":` + host + `,"hosts":{"type":"array","minItems":1,"uniqueItems":true,"items":` + host + `},"remote_addr":{},"remote_addrs":{},"timeout":` + timeout + `,"vars":{"type":"array"},
			"filter_func":{},"script":{},"script_id":{},"plugins":` + plugins + `,"plugin_config_id":{},"upstream":` + upstream + `,"service_id":{},"upstream_id":{},
			"enable_websocket":{"type":"boolean"},"status":{"enum":[1,0]}},"additionalProperties":false,
			"anyOf":[{"required":["plugins","uri"]},{"required":["upstream","uri"]},{"required":["upstream_id","uri"]},{"required":["service_id","uri"]},{"required":["plugins","uris"]},
			{"required":["upstream","uris"]},{"required":["upstream_id","uris"]},{"required":["service_id","uris"]},{"required":["script","uri"]},{"required":["script","uris"]}],
			"not":{"anyOf":[{"required":["script","plugins"]},{"required":["script","plugin_config_id"]}]}}`
		set = `"plugins":` + plugins + `},"required":["id","plugins"],"additionalProperties":false}`
	)
	all := map[string]object{}
	for kind, text := range map[string]string{
		"route": route, "upstream": upstream,
		"service": `{"type":"object","properties":{` + common + `,"hosts":{},"plugins":` + plugins + `,"upstream":` + upstream + `,"upstream_id":{},"script":{},"enable_websocket":{}},"additionalProperties":false}`,
		"consumer": `{"type":"object","properties":{` + common + `,"username":{"type":"string","minLength":1,"maxLength":256,"pattern":"^[a-zA-Z0-9_\\-]+$"},"group_id":{},"plugins":` + plugins +
			`},"required":["username"],"additionalProperties":false}`,
		"credential":  `{"type":"object","properties":{` + common + `,"plugins":{"type":"object","maxProperties":1}},"additionalProperties":false}`,
		"global rule": `{"type":"object","properties":{` + common + `,` + set, "plugin config": `{"type":"object","properties":{` + common + `,` + set,
		"consumer group": `{"type":"object","properties":{` + common + `,` + set,
		"stream route": `{"type":"object","properties":{` + common + `,"remote_addr":{},"server_addr":{},"server_port":{"type":"integer","minimum":1,"maximum":65535},"sni":{},"upstream":` + upstream +
			`,"upstream_id":{},"service_id":{},"plugins":{},"protocol":{"type":"object","required":["name"]}},"additionalProperties":false}`,
		"proto": `{"type":"object","properties":{` + common + `,"content":{"type":"string","minLength":1}},"required":["content"],"additionalProperties":false}`,
		"ssl": `{"type":"object","properties":{` + common + `,"type":{},"cert":{},"key":{},"certs":{},"keys":{},"sni":{},"snis":{},"client":{},"ssl_protocols":{},"status":{}},
			"then":{"oneOf":[{"required":["sni","key","cert"]},{"required":["snis","key","cert"]}]},"else":{"required":["key","cert"]},"additionalProperties":false}`,
		"secret": `{"type":"object","required":["uri","prefix","token"]}`,
	} {
		var s object
		if err := json.Unmarshal([]byte(text), &s); err != nil {
			panic(kind + ": " + err.Error())
		}
		all[kind] = s
	}
	return all
}()

// breaks says which rule of a schema a value breaks, in APISIX's words; "": none.
func (g *reference) breaks(s object, v any) string {
	msg := g.broken(s, v)
	if msg != "" && g.is("words of its own") {
		return "not valid"
	}
	return msg
}

func (g *reference) broken(s object, v any) string {
	has := func(keyword string) bool { return s[keyword] != nil && !g.is("knows no "+keyword) }
	if want, _ := s["type"].(string); has("type") && !g.isOf(want, v) {
		return "wrong type: expected " + want + ", got " + luaName(v)
	}
	switch t := v.(type) {
	case string:
		switch {
		case has("minLength") && len(t) < int(s["minLength"].(float64)):
			return fmt.Sprintf("string too short, expected at least %v, got %d", s["minLength"], len(t))
		case has("maxLength") && len(t) > int(s["maxLength"].(float64)):
			return fmt.Sprintf("string too long, expected at most %v, got %d", s["maxLength"], len(t))
		case has("pattern") && !regexp.MustCompile(s["pattern"].(string)).MatchString(t):
			return "failed to match pattern " + strconv.Quote(s["pattern"].(string)) + " with " + strconv.Quote(t)
		}
	case float64:
		switch {
		case has("minimum") && t < s["minimum"].(float64):
			return fmt.Sprintf("expected %v to be at least %v", t, s["minimum"])
		case has("maximum") && t > s["maximum"].(float64):
			return fmt.Sprintf("expected %v to be at most %v", t, s["maximum"])
		case has("exclusiveMinimum") && t <= s["exclusiveMinimum"].(float64):
			return fmt.Sprintf("expected %v to be greater than %v", t, s["exclusiveMinimum"])
		}
	case []any:
		if msg := g.brokenList(s, t, has); msg != "" {
			return msg
		}
	case object:
		if msg := g.brokenObject(s, t, has); msg != "" {
			return msg
		}
	}
	if words, _ := s["enum"].([]any); has("enum") && luaName(v) != "table" && !slices.Contains(words, v) {
		return "matches none of the enum values"
	}
	return g.brokenChoice(s, v, has)
}

func (g *reference) brokenList(s object, list []any, has func(string) bool) string {
	if items, _ := s["items"].(object); items != nil {
		for i, v := range list {
			if msg := g.broken(items, v); msg != "" {
				return fmt.Sprintf("failed to validate item %d: %s", i+1, msg)
			}
		}
	}
	if has("minItems") && len(list) < int(s["minItems"].(float64)) {
		return fmt.Sprintf("expect array to have at least %v items", s["minItems"])
	}
	for j := range list {
		if !has("uniqueItems") {
			break
		}
		if i := slices.Index(list, list[j]); i < j {
			return fmt.Sprintf("expected unique items but items %d and %d are equal", i+1, j+1)
		}
	}
	return ""
}

func (g *reference) brokenObject(s, v object, has func(string) bool) string {
	properties, _ := s["properties"].(object)
	for _, name := range slices.Sorted(maps.Keys(v)) {
		p, _ := properties[name].(object)
		if every, _ := s["every"].(object); every != nil {
			if msg := g.broken(every, v[name]); msg != "" {
				return "failed to validate " + name + ` (matching ".*"): ` + msg
			}
		}
		if p == nil {
			continue
		}
		if msg := g.broken(p, v[name]); msg != "" {
			return "property " + strconv.Quote(name) + " validation failed: " + msg
		}
	}
	for _, name := range list(s, "required") {
		if _, ok := v[name]; !ok && has("required") {
			return "property " + strconv.Quote(name) + " is required"
		}
	}
	for _, name := range slices.Sorted(maps.Keys(v)) {
		if s["additionalProperties"] == false && properties[name] == nil && !g.is("knows no additionalProperties") && !g.is("drops unknown fields") {
			return "additional properties forbidden, found " + name
		}
	}
	dependencies, _ := s["dependencies"].(object)
	for _, name := range slices.Sorted(maps.Keys(dependencies)) {
		if _, ok := v[name]; !ok || !has("dependencies") {
			continue
		}
		if msg := g.broken(dependencies[name].(object), v); msg != "" {
			return "failed to validate dependent schema for " + strconv.Quote(name) + ": " + msg
		}
	}
	if has("maxProperties") && len(v) > int(s["maxProperties"].(float64)) {
		return fmt.Sprintf("expect object to have at most %v properties", s["maxProperties"])
	}
	if minimum, _ := s["minItems"].(float64); has("minItems") && len(v) < int(minimum) {
		return fmt.Sprintf("expect array to have at least %v items", minimum)
	}
	return ""
}

// brokenChoice is about alternatives, which here only say what they require.
func (g *reference) brokenChoice(s object, v any, has func(string) bool) string {
	o, _ := v.(object)
	fits := func(s object, keyword string) (matching []int, lists []string) {
		all, _ := s[keyword].([]any)
		for i, alternative := range all {
			names := list(alternative.(object), "required")
			b, _ := json.Marshal(names)
			lists = append(lists, string(b))
			if !slices.ContainsFunc(names, func(n string) bool { _, ok := o[n]; return !ok }) {
				matching = append(matching, i+1)
			}
		}
		return matching, lists
	}
	if matching, lists := fits(s, "anyOf"); has("anyOf") && len(matching) == 0 {
		return "object matches none of the required: " + strings.Join(lists, " or ")
	}
	never, _ := s["not"].(object)
	if matching, _ := fits(never, "anyOf"); has("not") && len(matching) > 0 {
		return "value wasn't supposed to match schema"
	}
	if has("then") && !g.is("needs no names") { // if it is the certificate of a server
		clause := "then"
		if o["type"] == "client" {
			clause = "else"
		}
		if g.broken(s[clause].(object), v) != "" {
			return clause + " clause did not match"
		}
	}
	matching, _ := fits(s, "oneOf")
	switch {
	case !has("oneOf") || len(matching) == 1:
		return ""
	case len(matching) == 0:
		return "value should match only one schema, but matches none"
	}
	return fmt.Sprintf("value should match only one schema, but matches both schemas %d and %d", matching[0], matching[1])
}

func list(o object, name string) []string { return texts(o, "", name) }

func (g *reference) isOf(name string, v any) bool {
	switch t := v.(type) {
	case string:
		return name == "string"
	case bool:
		return name == "boolean"
	case float64:
		return name == "number" || name == "integer" && t == math.Trunc(t)
	case object:
		return name == "object" || name == "array" && len(t) == 0 && !g.is("lists are lists")
	case []any:
		return name == "array" || name == "object" && len(t) == 0
	}
	return false
}

func luaName(v any) string {
	switch v.(type) {
	case nil:
		return "userdata"
	case bool:
		return "boolean"
	case float64:
		return "number"
	case string:
		return "string"
	}
	return "table"
}
