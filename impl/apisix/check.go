package apisix

import (
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/unilb/unilb/impl/apisix/schema"
)

// CheckRoute reports the first thing that is wrong with the object as a route,
// in APISIX's words and order.
func (o *Object) CheckRoute() error {
	for _, name := range []string{"host", "remote_addr"} {
		if o.Has(name) && o.Has(name+"s") {
			return fmt.Errorf("only one of %s or %ss is allowed", name, name)
		}
	}
	if err := routeSchema().Validate(o.tree); err != nil {
		return fmt.Errorf("invalid configuration: %w", err)
	}
	return rule(o.checkRules())
}

// A RuleError is a rule that an object breaks though it conforms to its schema. The
// Admin API tells it after what is wrong with the object's plugins.
type RuleError struct{ Err error }

func (e *RuleError) Error() string { return e.Err.Error() }
func (e *RuleError) Unwrap() error { return e.Err }

func rule(err error) error {
	if err == nil {
		return nil
	}
	return &RuleError{err}
}

// checkRules checks what the schemas of routes and services cannot say.
func (o *Object) checkRules() error {
	if err := checkInline(o.tree); err != nil {
		return err
	}
	if vars, ok := o.tree["vars"].([]any); ok {
		if err := CheckVars(vars); err != nil {
			return fmt.Errorf("failed to validate the 'vars' expression: %w", err)
		}
	}
	return checkLua(o.tree)
}

// CheckService is CheckRoute for services.
func (o *Object) CheckService() error {
	if err := serviceSchema().Validate(o.tree); err != nil {
		return fmt.Errorf("invalid configuration: %w", err)
	}
	return rule(o.checkRules())
}

// CheckUpstream is CheckRoute for upstreams.
func (o *Object) CheckUpstream() error {
	if err := upstreamSchema().Validate(o.tree); err != nil {
		return fmt.Errorf("invalid configuration: %w", err)
	}
	return checkUpstreamRules(o.tree)
}

func checkInline(t map[string]any) error {
	up, ok := t["upstream"].(map[string]any)
	if !ok {
		return nil
	}
	return checkUpstreamRules(up)
}

// checkUpstreamRules checks what an upstream's schema cannot say.
func checkUpstreamRules(t map[string]any) error {
	if err := checkNodes(t["nodes"]); err != nil {
		return err
	}
	if str(t, "pass_host", "pass") == "rewrite" && str(t, "upstream_host", "") == "" {
		return errors.New("`upstream_host` can't be empty when `pass_host` is `rewrite`")
	}
	if _, err := upstreamTLSOf(t); err != nil {
		return err
	}
	if str(t, "type", "") != "chash" {
		return nil
	}
	key, hashOn := str(t, "key", ""), str(t, "hash_on", "vars")
	if _, ok := t["key"].(string); !ok && hashOn != "consumer" {
		return errors.New("missing key")
	}
	switch hashOn {
	case "vars":
		return checkPattern(hashVars, key)
	case "header", "cookie":
		return checkPattern(hashName, key)
	case "vars_combinations":
		if !strings.Contains(key, "$") {
			return errors.New("type is chash, err: the key of vars_combinations holds no variable")
		}
	}
	return nil
}

// Keys of consistent hashing; the second is a header's or a cookie's name.
var (
	hashVars = regexp.MustCompile(`^((uri|server_name|server_addr|request_uri|remote_port|remote_addr|query_string|host|hostname|mqtt_client_id)|arg_[0-9a-zA-z_-]+)$`)
	hashName = regexp.MustCompile(`^[a-zA-Z0-9-_]+$`)
)

func checkPattern(re *regexp.Regexp, key string) error {
	if re.MatchString(key) {
		return nil
	}
	return fmt.Errorf("invalid configuration: failed to match pattern %s with %s", schema.Quote(re.String()), schema.Quote(key))
}

var errBrackets = errors.New("invalid configuration: IPv6 address must be enclosed with '[' and ']'")

// checkNodes checks ports in the map form and IPv6 hosts in both.
func checkNodes(nodes any) error {
	switch t := nodes.(type) {
	case map[string]any:
		for _, addr := range sortedKeys(t) {
			host, port, err := splitNode(addr)
			if err != nil {
				return err
			}
			if port != -1 && (port < 1 || port > 65535) {
				return fmt.Errorf("invalid port %d", port)
			}
			if host == "" {
				return fmt.Errorf("invalid configuration: node %q has no host", addr)
			}
		}
	case []any:
		for _, item := range t {
			node, _ := item.(map[string]any)
			host := str(node, "host", "")
			bracketed := strings.HasPrefix(host, "[") && strings.HasSuffix(host, "]")
			if strings.Count(host, ":") > 1 && !bracketed {
				return errBrackets
			}
		}
	}
	return nil
}

// splitNode takes apart a key of the map form: host, host:port, [v6] or
// [v6]:port. Without a port it returns -1.
func splitNode(addr string) (host string, port int, err error) {
	var rest string
	if strings.HasPrefix(addr, "[") {
		end := strings.IndexByte(addr, ']')
		if end < 0 {
			return "", 0, errBrackets
		}
		host, rest = addr[1:end], addr[end+1:]
		if rest == "" {
			return host, -1, nil
		}
		if rest[0] != ':' {
			return "", 0, errBrackets
		}
		rest = rest[1:]
	} else {
		switch strings.Count(addr, ":") {
		case 0:
			return addr, -1, nil
		case 1:
			host, rest, _ = strings.Cut(addr, ":")
		default:
			return "", 0, errBrackets
		}
	}
	port, err = strconv.Atoi(rest)
	if err != nil || port < 0 {
		return "", 0, fmt.Errorf("invalid port %s", rest)
	}
	return host, port, nil
}

func sortedKeys[V any](m map[string]V) []string {
	keys := make([]string, 0, len(m))
	for k := range m {
		keys = append(keys, k)
	}
	slices.Sort(keys)
	return keys
}
