package protocol

import "github.com/unilb/unilb/conformance/spec"

// Catches a gateway that passes folds on, or that makes two fields of one.
var smugObsFold = spec.Case{
	ID: "SMUG-OBS-FOLD", Level: spec.Must, Needs: []spec.Feature{spec.H1Syntax},
	Title: "A folded field is refused, or arrives as one line with blanks in place of the fold.",
	Refs:  []string{"RFC 9112 5.2"},
	Objects: `
-- routes/{{.ID}} --
{"host": "{{.Host}}", "uri": "/*", "upstream": {"type": "roundrobin", "nodes": {"{{index .Played 0}}": 1}}}
`,
	Played: 1,
	Run: strict(
		attack{name: "a blank", text: lined("X-Fold: one\r\n two\r\n"), bodies: []string{""}, also: holds("X-Fold", "one", "two")},
		attack{name: "a tab", text: lined("X-Fold: one\r\n\ttwo\r\n"), bodies: []string{""}, also: holds("X-Fold", "one", "two")},
		attack{name: "what looks like a field", text: lined("X-Fold: one\r\n X-Smuggled: two\r\n"), bodies: []string{""}, also: lacks("X-Smuggled")},
	),
}
