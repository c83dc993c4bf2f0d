package suite

import (
	"cmp"
	"context"
	"strings"

	"github.com/unilb/unilb/conformance/spec"
)

// One gives one case its result, as Run would, without looking at Options.Cases.
// states says what became of the cases that ran before it; Nonce must be set.
func One(ctx context.Context, env spec.Env, c spec.Case, o Options, states map[string]spec.State) spec.Result {
	o.Grace = cmp.Or(o.Grace, DefaultGrace)
	return o.one(ctx, env, c, states)
}

// RunID is the name of one run of a case: the prefix of everything that is its own.
func RunID(id, nonce string) string { return strings.ToLower(id) + "-" + nonce }
