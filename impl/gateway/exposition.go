package gateway

import (
	"io"
	"strconv"
	"strings"
)

// exposition writes the text format of Prometheus.
type exposition struct {
	w io.Writer
	b []byte
}

const expositionBuffer = 64 << 10

func (e *exposition) family(name, kind, help string) {
	e.b = append(e.b, "# HELP "+name+" "+help+"\n# TYPE "+name+" "+kind+"\n"...)
}

// line begins a line: the name of the family, what may follow it ("_sum"), and parts
// that make the list of labels. A value follows.
func (e *exposition) line(name string, parts ...string) {
	if len(e.b) > expositionBuffer {
		e.flush()
	}
	e.b = append(e.b, name...)
	if parts[0][0] == '_' {
		e.b = append(e.b, parts[0]...)
		parts = parts[1:]
	}
	e.b = append(e.b, '{')
	for _, p := range parts {
		e.b = append(e.b, p...)
	}
	e.b = append(e.b, '}', ' ')
}

func (e *exposition) whole(v uint64) { e.b = append(strconv.AppendUint(e.b, v, 10), '\n') }

func (e *exposition) fraction(v float64) {
	e.b = append(strconv.AppendFloat(e.b, v, 'g', -1, 64), '\n')
}

func (e *exposition) flush() {
	_, _ = e.w.Write(e.b) // the client is gone, and nobody else is there to tell
	e.b = e.b[:0]
}

var labelEscapes = strings.NewReplacer(`\`, `\\`, "\n", `\n`, `"`, `\"`)

// quote makes the value of a label.
func quote(s string) string { return `"` + labelEscapes.Replace(s) + `"` }
