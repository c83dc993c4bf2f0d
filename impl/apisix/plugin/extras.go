package plugin

import (
	"cmp"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"net/netip"
	"slices"
	"strings"
)

// extraOf returns what a plugin's schema cannot say; nil: nothing. What it returns
// sees configurations that the schema has accepted.
func extraOf(name string) func(conf map[string]any, k Kind) error {
	switch name {
	case "cors":
		return checkCORS
	case "fault-injection":
		return checkFaults
	case "ip-restriction":
		return addresses("whitelist", "blacklist")
	case "real-ip":
		return addresses("trusted_addresses")
	case "jwt-auth":
		return checkJWT
	case "limit-count":
		return checkLimitRules
	case "multi-auth":
		return checkMulti
	case "proxy-cache":
		return checkCache
	case "proxy-rewrite":
		return checkRewrite
	case "redirect":
		return checkRedirect
	case "response-rewrite":
		return checkResponseRewrite
	case "traffic-split":
		return checkSplit
	case "ua-restriction":
		return checkAgents
	case "uri-blocker":
		return checkBlocked
	case "workflow":
		return checkWorkflow
	case "file-logger":
		return expressions("match", "include_req_body_expr", "include_resp_body_expr")
	case "http-logger", "syslog", "tcp-logger", "udp-logger":
		return expressions("include_req_body_expr", "include_resp_body_expr")
	}
	return nil
}

// addresses looks in these members at what only looks like an address, such as
// 10.255.256.0/24.
func addresses(names ...string) func(conf map[string]any, _ Kind) error {
	return func(conf map[string]any, _ Kind) error {
		for _, name := range names {
			for _, s := range texts(conf, name) {
				if _, err := netip.ParseAddr(s); err == nil {
					continue
				}
				if _, err := netip.ParsePrefix(s); err != nil {
					return fmt.Errorf("invalid ip address: %s", s)
				}
			}
		}
		return nil
	}
}

func checkJWT(conf map[string]any, k Kind) error {
	algorithm := text(conf, "algorithm")
	switch {
	case k != Consumer:
		return nil
	case algorithm == "" || strings.HasPrefix(algorithm, "HS"):
		if text(conf, "secret") == "" {
			return errors.New(`property "secret" is required when using HS based algorithms`)
		}
	case text(conf, "public_key") == "":
		return errors.New("missing valid public key")
	}
	return nil
}

// checkMulti checks what each of the methods says about itself.
func checkMulti(conf map[string]any, _ Kind) error {
	for _, item := range list(conf, "auth_plugins") {
		method, _ := item.(map[string]any)
		for _, name := range slices.Sorted(maps.Keys(method)) {
			p, ok := Lookup(name)
			if !ok {
				return fmt.Errorf("%s plugin did not found", name) // APISIX's words
			}
			if p.Type != "auth" {
				return fmt.Errorf("%s plugin is not supported", name)
			}
			if err := p.Check(object(method, name), Route); err != nil {
				return fmt.Errorf("plugin %s check schema failed: %w", name, err)
			}
		}
	}
	return nil
}

func checkCORS(conf map[string]any, _ Kind) error {
	if conf["allow_credential"] == true {
		// What is absent is "*", but for the headers that are exposed.
		for _, name := range []string{"allow_origins", "allow_methods", "allow_headers", "expose_headers", "timing_allow_origins"} {
			s, given := conf[name]
			if s == "*" || !given && strings.HasPrefix(name, "allow_") {
				return errors.New("you can not set '*' for other option when 'allow_credential' is true")
			}
		}
	}
	return checkRegexes(slices.Concat(texts(conf, "allow_origins_by_regex"), texts(conf, "timing_allow_origins_by_regex")))
}

func checkAgents(conf map[string]any, _ Kind) error {
	return checkRegexes(slices.Concat(texts(conf, "allowlist"), texts(conf, "denylist")))
}

func checkBlocked(conf map[string]any, _ Kind) error {
	return checkRegexes(texts(conf, "block_rules"))
}

// zones are those that APISIX's default configuration has, and the strategy of each.
var zones = map[string]string{"disk_cache_one": "disk", "memory_cache": "memory"}

func checkCache(conf map[string]any, _ Kind) error {
	if slices.Contains(texts(conf, "cache_key"), "$request_method") {
		return errors.New("cache_key variable $request_method unsupported")
	}
	zone, strategy := cmp.Or(text(conf, "cache_zone"), "disk_cache_one"), cmp.Or(text(conf, "cache_strategy"), "disk")
	switch zones[zone] {
	case strategy:
		return nil
	case "":
		return fmt.Errorf("cache_zone %s not found", zone)
	}
	return fmt.Errorf("invalid or empty cache_zone for cache_strategy: %s", strategy)
}

func checkResponseRewrite(conf map[string]any, _ Kind) error {
	if conf["body_base64"] == true {
		if body := text(conf, "body"); body == "" || notBase64(body) {
			return errors.New("invalid base64 content")
		}
	}
	for _, item := range list(conf, "filters") {
		filter, _ := item.(map[string]any)
		if err := checkRegex(text(filter, "regex")); err != nil {
			return fmt.Errorf(`regex "%s" validation failed: %w`, text(filter, "regex"), err) // as it is, not quoted
		}
	}
	return checkVars("vars", list(conf, "vars"))
}

func notBase64(s string) bool {
	_, err := base64.StdEncoding.DecodeString(s)
	return err != nil
}

// expressions looks at these members as conditions.
func expressions(names ...string) func(conf map[string]any, _ Kind) error {
	return func(conf map[string]any, _ Kind) error {
		for _, name := range names {
			if err := checkVars(name, list(conf, name)); err != nil {
				return err
			}
		}
		return nil
	}
}

// spelled is a member as the texts of errors show it.
func spelled(v any) string {
	switch t := v.(type) {
	case string:
		return t
	case json.Number:
		return t.String()
	}
	return fmt.Sprint(v)
}
