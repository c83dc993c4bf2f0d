package memory

import (
	"strings"
	"unsafe"

	"github.com/unilb/unilb/impl/exchange"
)

func (e *Engine) attempt(r *run) exchange.Verdict {
	x := &r.x
	sent := Sent{Plan: x.Plan, Name: strings.Clone(x.Plan.Target.Name), Method: strings.Clone(x.Request.Method),
		Target: strings.Clone(x.Request.Target), Body: r.req.Body, Fields: keep(x.Request.Fields, x.RequestEdits)}
	sent.Plan.Host = strings.Clone(x.Plan.Host)
	r.out.Sent = append(r.out.Sent, sent)
	reply := e.Upstream(sent)
	e.clock(x)
	if reply.Failure != nil {
		return e.Handler.OnFailure(x, *reply.Failure)
	}
	var head []byte
	for _, f := range reply.Fields {
		head = append(append(head, f.Name...), f.Value...)
	}
	x.Response.Status, x.Response.BodyLength, x.Response.Fields = reply.Status, -1, x.Response.Fields[:0]
	at := 0
	cut := func(n int) string {
		at += n
		return unsafe.String(unsafe.SliceData(head[at-n:]), n)
	}
	for _, f := range reply.Fields {
		x.Response.Fields = append(x.Response.Fields, exchange.Field{Name: cut(len(f.Name)), Value: cut(len(f.Value))})
	}
	own := keep(x.Response.Fields, nil) // the engine's copy, to be serialised later
	v := e.Handler.OnResponse(x)
	poison(head)
	if v != exchange.Continue {
		return v
	}
	r.out.Status = reply.Status
	r.out.Fields = keep(own, x.ResponseEdits)
	e.relay(r, reply)
	return exchange.Continue
}

func (e *Engine) relay(r *run, reply Reply) {
	for i, c := range reply.Chunks {
		b := []byte(c)
		out := b
		if r.x.FilterBody {
			out = e.Handler.OnBody(&r.x, b, i == len(reply.Chunks)-1)
		}
		r.out.Body += string(out)
		poison(b)
	}
	e.done(r)
}

// keep applies the edits and copies the result out of all buffers.
func keep(fields exchange.Fields, edits exchange.Edits) exchange.Fields {
	out := exchange.Apply(nil, fields, edits)
	for i, f := range out {
		out[i] = exchange.Field{Name: strings.Clone(f.Name), Value: strings.Clone(f.Value)}
	}
	return out
}

func poison(b []byte) {
	for i := range b {
		b[i] = Poison
	}
}
