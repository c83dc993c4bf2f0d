package echo

import (
	"encoding/json"
	"strconv"

	"github.com/unilb/unilb/sim/history"
	"github.com/unilb/unilb/sim/http1"
	"github.com/unilb/unilb/topology"
)

// An Answer is the JSON body of an ordinary response: the request as seen.
type Answer struct {
	Backend topology.Ref    `json:"backend"`
	VNI     uint32          `json:"vni,omitempty"`
	Op      string          `json:"op,omitempty"`
	From    string          `json:"from"`
	Local   string          `json:"local"`
	Seen    history.Request `json:"seen"`
}

// Values are the values of all header lines of that name that the backend saw,
// in order. Names compare without regard to case.
func (a Answer) Values(name string) []string { return http1.Fields(a.Seen.Header).Values(name) }

// appendAnswer appends what json.Marshal makes of a, and a line end. Every
// request of every load is answered so, which makes the difference worth it.
func appendAnswer(b []byte, a Answer) []byte {
	b = appendMember(b, `{"backend":`, string(a.Backend))
	if a.VNI != 0 {
		b = strconv.AppendUint(append(b, `,"vni":`...), uint64(a.VNI), 10)
	}
	if a.Op != "" {
		b = appendMember(b, `,"op":`, a.Op)
	}
	b = appendMember(b, `,"from":`, a.From)
	b = appendMember(b, `,"local":`, a.Local)
	b = appendMember(b, `,"seen":{"method":`, a.Seen.Method)
	b = appendMember(b, `,"target":`, a.Seen.Target)
	if a.Seen.Proto != "" {
		b = appendMember(b, `,"proto":`, a.Seen.Proto)
	}
	if a.Seen.Host != "" {
		b = appendMember(b, `,"host":`, a.Seen.Host)
	}
	if len(a.Seen.Header) > 0 {
		opening := `,"header":[{"n":`
		for i := range a.Seen.Header {
			b = appendMember(b, opening, a.Seen.Header[i].Name)
			b = append(appendMember(b, `,"v":`, a.Seen.Header[i].Value), '}')
			opening = `,{"n":`
		}
		b = append(b, ']')
	}
	if a.Seen.BodyLen != 0 {
		b = strconv.AppendInt(append(b, `,"body_len":`...), a.Seen.BodyLen, 10)
	}
	if a.Seen.BodySum != "" {
		b = appendMember(b, `,"body_sha256":`, a.Seen.BodySum)
	}
	return append(b, "}}\n"...)
}

// appendMember appends what leads to a string, and the string.
func appendMember(b []byte, before, v string) []byte {
	b = append(b, before...)
	for i := range len(v) {
		if c := v[i]; c < ' ' || c > '~' || c == '"' || c == '\\' || c == '<' || c == '>' || c == '&' {
			quoted, _ := json.Marshal(v) // of a string there is no error
			return append(b, quoted...)
		}
	}
	return append(append(append(b, '"'), v...), '"')
}
