package gateway

import (
	"io"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/unilb/unilb/impl/exchange"
	"github.com/unilb/unilb/impl/obs/meter"
)

// noModel are labels of APISIX that say nothing here: we tell no language models apart.
const noModel = `request_type="traditional_http",request_llm_model="",llm_model=""`

// row is a series in an exposition.
type row struct {
	*meter.Series
	meter.Reading
	status  string // the labels of apisix_http_status between code and response_source
	general string // those of the other families of APISIX behind type
	own     string // those of our families
}

// writeRequests writes what was counted of requests. Nothing is done about an error of
// w: the client is gone.
func writeRequests(w io.Writer, all []*meter.Series) {
	slices.SortFunc(all, func(a, b *meter.Series) int {
		if c := strings.Compare(a.Route, b.Route); c != 0 {
			return c
		}
		return strings.Compare(a.Node, b.Node)
	})
	rows := make([]row, 0, len(all))
	for _, s := range all {
		if r := s.Read(); r.Request.Count > 0 || r.Failures != [exchange.FailureKinds]uint64{} {
			route, node, service := quote(s.Route), quote(s.Node), quote(s.Service)
			rows = append(rows, row{s, r,
				`",route=` + route + `,matched_uri=` + quote(s.URI) + `,matched_host=` + quote(s.Host) + `,service=` + service + `,consumer="",node=` + node + `,` + noModel + `,response_source="`,
				`",route=` + route + `,service=` + service + `,consumer="",node=` + node + `,` + noModel,
				`route=` + route + `,service=` + service + `,node=` + node})
		}
	}
	e := &exposition{w: w}
	e.answers(rows)
	e.latencies(rows)
	e.bytes(rows)
	e.failures(rows)
	e.perRow(rows, "unilb_upstream_retries_total", "Tries beyond the first of a request, by the node that was tried last.", func(r *row) uint64 { return r.Retries })
	e.cuts(rows)
	e.flush()
}

func (e *exposition) answers(rows []row) {
	const name = "apisix_http_status"
	e.family(name, "counter", "Answers by status. The status of a request that was given no answer is 499.")
	for i := range rows {
		r := &rows[i]
		slices.SortFunc(r.Answers, func(a, b meter.Answers) int { return a.Status - b.Status })
		for _, a := range r.Answers {
			source := `apisix"`
			if a.Upstream {
				source = `upstream"`
			}
			e.line(name, `code="`, codeText(a.Status), r.status, source)
			e.whole(a.Count)
		}
	}
}

// codeText is the status as a label; as in nginx a client that left has 499.
func codeText(status int) string {
	switch status {
	case 0:
		return "499"
	case -1:
		return "other"
	}
	return strconv.Itoa(status)
}

func (e *exposition) latencies(rows []row) {
	const name = "apisix_http_latency"
	e.family(name, "histogram", "Time in milliseconds: request from the head of a request to the last byte, upstream until a target has answered or the last has failed, apisix the rest.")
	for i := range rows {
		r := &rows[i]
		e.histogram(name, `type="request`, r.general, &r.Request)
		e.histogram(name, `type="upstream`, r.general, &r.Upstream)
		e.histogram(name, `type="apisix`, r.general, &r.Own)
	}
}

func (e *exposition) bytes(rows []row) {
	const name = "apisix_bandwidth"
	e.family(name, "counter", "Bytes of bodies: ingress from clients, egress to clients.")
	for i := range rows {
		r := &rows[i]
		if r.Request.Count == 0 {
			continue
		}
		e.line(name, `type="ingress`, r.general)
		e.whole(r.Received)
		e.line(name, `type="egress`, r.general)
		e.whole(r.Sent)
	}
}

func (e *exposition) failures(rows []row) {
	const name = "unilb_upstream_failures_total"
	e.family(name, "counter", "Tries that gave no answer, by kind and by the node that was tried.")
	for i := range rows {
		for kind, n := range rows[i].Failures {
			if n > 0 {
				e.line(name, `kind="`, exchange.FailureKind(kind).String(), `",`, rows[i].own)
				e.whole(n)
			}
		}
	}
}

func (e *exposition) cuts(rows []row) {
	const name = "unilb_http_cut_total"
	e.family(name, "counter", "Answers that did not end as their head promised, or never came, by reason.")
	for i := range rows {
		for why, n := range rows[i].Cuts {
			if n > 0 {
				e.line(name, `reason="`, exchange.CutReason(why).String(), `",`, rows[i].own)
				e.whole(n)
			}
		}
	}
}

// perRow writes a family that has one value for each row, where it is not 0.
func (e *exposition) perRow(rows []row, name, help string, value func(*row) uint64) {
	e.family(name, "counter", help)
	for i := range rows {
		if n := value(&rows[i]); n > 0 {
			e.line(name, rows[i].own)
			e.whole(n)
		}
	}
}

// bounds are the bounds of histograms as labels, in milliseconds.
var bounds = func() (t [len(meter.Bounds)]string) {
	for i, b := range meter.Bounds {
		t[i] = `,le="` + strconv.FormatInt(b.Milliseconds(), 10) + `"`
	}
	return t
}()

func (e *exposition) histogram(name, kind, labels string, d *meter.Distribution) {
	if d.Count == 0 {
		return
	}
	for i, n := range d.Within {
		e.line(name, "_bucket", kind, labels, bounds[i])
		e.whole(n)
	}
	e.line(name, "_bucket", kind, labels, `,le="+Inf"`)
	e.whole(d.Count)
	e.line(name, "_sum", kind, labels)
	e.fraction(float64(d.Sum) / float64(time.Millisecond))
	e.line(name, "_count", kind, labels)
	e.whole(d.Count)
}
