package driver

import (
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"regexp"
	"strings"
	"text/template"

	"github.com/unilb/unilb/conformance/spec"
)

// MaxConfigBytes is the largest file that a template may make.
const MaxConfigBytes = 16 << 20

// A keyError is what is wrong with the template at a key.
type keyError struct {
	key string
	err error
}

func (e *keyError) Error() string { return e.key + ": " + e.err.Error() }
func (e *keyError) Unwrap() error { return e.err }

// An Inexpressible says that a template has no way to express an object: it called
// the function fail.
type Inexpressible struct{ Reason string }

func (e *Inexpressible) Error() string { return e.Reason }

// functions are what every template may call.
var functions = template.FuncMap{
	"join":  strings.Join,
	"lower": strings.ToLower,

	"hasPrefix":  strings.HasPrefix,
	"trimPrefix": strings.TrimPrefix,
	// regex escapes a text for a regular expression.
	"regex": regexp.QuoteMeta,
	// quote makes one word in double quotes, with \ before each \ and ".
	"quote": func(s string) string { return `"` + strings.NewReplacer(`\`, `\\`, `"`, `\"`).Replace(s) + `"` },
	// shell makes one word in single quotes, as a POSIX shell reads it.
	"shell": func(s string) string { return "'" + strings.ReplaceAll(s, "'", `'\''`) + "'" },
	// snake is a header's name in lower case, with _ for -.
	"snake": func(s string) string { return strings.ReplaceAll(strings.ToLower(s), "-", "_") },
	"add":   func(a, b int) int { return a + b },
	// pair is what a gateway has in its environment that claims tls.secrets.
	"pair": func() string { return spec.EnvPair },
	// host and port are the parts of "address:port".
	"host": func(s string) (string, error) { h, _, err := net.SplitHostPort(s); return h, err },
	"port": func(s string) (string, error) { _, p, err := net.SplitHostPort(s); return p, err },
	// json is the value as JSON, in one line.
	"json": func(v any) (string, error) {
		b, err := json.Marshal(v)
		return string(b), err
	},
	// fail ends the rendering: the gateway cannot do what an object asks for.
	"fail": func(reason string, args ...any) (string, error) {
		return "", &Inexpressible{fmt.Sprintf(reason, args...)}
	},
}

func parse(key, text string) (*template.Template, error) {
	t, err := template.New(key).Option("missingkey=error").Funcs(functions).Parse(text)
	if err != nil {
		return nil, &keyError{key, err}
	}
	return t, nil
}

func expand(key, text string, v any) (string, error) {
	t, err := parse(key, text)
	if err != nil {
		return "", err
	}
	b := limited{left: MaxConfigBytes}
	if err := t.Execute(&b, v); err != nil {
		var cannot *Inexpressible
		if errors.As(err, &cannot) {
			err = cannot // without the template engine's account of where
		}
		return "", &keyError{key, err}
	}
	return b.String(), nil
}

// limited takes no more than so many bytes.
type limited struct {
	strings.Builder
	left int
}

func (l *limited) Write(p []byte) (int, error) {
	if l.left -= len(p); l.left < 0 {
		return 0, fmt.Errorf("more than %d bytes", MaxConfigBytes)
	}
	return l.Builder.Write(p)
}
