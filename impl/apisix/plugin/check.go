package plugin

import (
	"fmt"
	"sync"

	"github.com/unilb/unilb/impl/apisix"
	"github.com/unilb/unilb/impl/apisix/schema"
)

// Check reports the first thing that is wrong with a configuration, in APISIX's
// words and without the words that name the plugin. A configuration that is
// switched off is never wrong.
func (p *Plugin) Check(conf map[string]any, k Kind) error {
	if k != Metadata && Disabled(conf) {
		return nil
	}
	k = p.layout(k)
	if check := p.checks[k]; check != nil {
		if err := check().Validate(conf); err != nil {
			return err
		}
	}
	if k == Metadata {
		return nil
	}
	if p.extra != nil {
		if err := p.extra(conf, k); err != nil {
			return err
		}
	}
	return checkMeta(conf)
}

// Conf returns a member of "plugins" as a configuration; ok is false when it is none. An
// empty list is one that is empty: in Lua there is no difference.
func Conf(v any) (conf map[string]any, ok bool) {
	if items, isList := v.([]any); isList && len(items) == 0 {
		return map[string]any{}, true
	}
	conf, ok = v.(map[string]any)
	return conf, ok
}

// Disabled reports whether a configuration is switched off.
func Disabled(conf map[string]any) bool { return object(conf, "_meta")["disable"] == true }

// checkMeta checks what every plugin has in common. Schemas for routes describe _meta
// themselves; those for consumers do not, as in APISIX, but it counts there too.
func checkMeta(conf map[string]any) error {
	meta, ok := conf["_meta"]
	if !ok {
		return nil
	}
	if err := metaSchema().Validate(meta); err != nil {
		return fmt.Errorf("property \"_meta\" validation failed: %w", err)
	}
	if err := checkVars("vars", list(object(conf, "_meta"), "filter")); err != nil {
		return &FilterError{err}
	}
	return nil
}

// A FilterError says what is wrong with the member filter of _meta. APISIX tells it in
// the words of vars, and not which plugin it is of.
type FilterError struct{ Err error }

func (e *FilterError) Error() string { return e.Err.Error() }
func (e *FilterError) Unwrap() error { return e.Err }

func checkVars(member string, vars []any) error {
	if err := apisix.CheckVars(vars); err != nil {
		return fmt.Errorf("failed to validate the '%s' expression: %w", member, err)
	}
	return nil
}

var metaSchema = sync.OnceValue(func() *schema.Schema { return compiled("_meta", definitions()["meta"])() })
