package plugin

import (
	"fmt"
	"sync"

	"github.com/unilb/unilb/impl/apisix"
	"github.com/unilb/unilb/impl/apisix/schema"
)

func checkLimitRules(conf map[string]any, _ Kind) error {
	seen := map[string]bool{}
	for _, item := range list(conf, "rules") {
		rule, _ := item.(map[string]any)
		key := text(rule, "key")
		if seen[key] {
			return fmt.Errorf("duplicate key '%s' in rules", key)
		}
		seen[key] = true
	}
	return nil
}

func checkSplit(conf map[string]any, _ Kind) error {
	for _, item := range list(conf, "rules") {
		rule, _ := item.(map[string]any)
		for _, m := range list(rule, "match") {
			match, _ := m.(map[string]any)
			if err := checkVars("vars", list(match, "vars")); err != nil {
				return err
			}
		}
	}
	return nil
}

func checkFaults(conf map[string]any, _ Kind) error {
	for _, fault := range []string{"abort", "delay"} {
		for _, item := range list(object(conf, fault), "vars") {
			vars, _ := item.([]any)
			if err := apisix.CheckVars(vars); err != nil {
				return err
			}
		}
	}
	return nil
}

// checkWorkflow checks the conditions, and the actions, which are plugins or
// "return".
func checkWorkflow(conf map[string]any, _ Kind) error {
	for _, item := range list(conf, "rules") {
		rule, _ := item.(map[string]any)
		if err := checkVars("case", list(rule, "case")); err != nil {
			return err
		}
		for _, a := range list(rule, "actions") {
			if err := checkAction(a); err != nil {
				return err
			}
		}
	}
	return nil
}

// returnSchema is that of the action "return".
var returnSchema = sync.OnceValue(func() *schema.Schema { return compiled("workflow", definitions()["return"])() })

func checkAction(action any) error {
	parts, _ := action.([]any)
	if len(parts) == 0 {
		return nil // a table of Lua without items
	}
	name := spelled(parts[0])
	var conf map[string]any
	if len(parts) > 1 {
		conf, _ = parts[1].(map[string]any)
	}
	var err error
	switch name {
	case "return":
		err = returnSchema().Validate(conf)
	case "limit-count", "limit-conn":
		p, _ := Lookup(name)
		err = p.Check(conf, Route)
	default:
		return fmt.Errorf("unsupported action: %s", name)
	}
	if err != nil {
		return fmt.Errorf("failed to validate the '%s' action: %w", name, err)
	}
	return nil
}
