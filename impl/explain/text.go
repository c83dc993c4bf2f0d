package explain

import (
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
	"text/tabwriter"

	"github.com/unilb/unilb/impl/health"
)

// Text writes the answer for people: how it ends first, then why.
func (a *Answer) Text(w io.Writer) error {
	p := &page{}
	r := &a.Request
	p.line("%s %s://%s%s%s%s", r.Method, r.Scheme, r.Authority, r.Target, unless(r.Remote, " from "+r.Remote), unless(r.Local, " to "+r.Local))
	p.line("%s", a.Outcome)
	p.line("")
	p.facts(a)
	p.candidates(a)
	p.plugins(a)
	p.upstream(a)
	p.revisions(a)
	for _, n := range a.Notes {
		p.line("note       %s", n)
	}
	_, err := io.WriteString(w, strings.TrimRight(p.b.String(), "\n")+"\n")
	return err
}

// page is text in the making.
type page struct{ b strings.Builder }

func (p *page) line(format string, args ...any) {
	p.b.WriteString(strings.TrimRight(fmt.Sprintf(format, args...), " ") + "\n")
}

// table writes rows in columns behind a name.
func (p *page) table(name string, rows [][]string) {
	if len(rows) == 0 {
		return
	}
	var b strings.Builder
	const gap = 2
	t := tabwriter.NewWriter(&b, 0, 0, gap, ' ', 0)
	for _, row := range rows {
		fmt.Fprintln(t, strings.Join(row, "\t"))
	}
	_ = t.Flush() // of a builder
	for i, l := range strings.Split(strings.TrimRight(b.String(), "\n"), "\n") {
		if i > 0 {
			name = ""
		}
		p.line("%-10s %s", name, l)
	}
}

func unless(s, text string) string {
	if s == "" {
		return ""
	}
	return text
}

func (p *page) facts(a *Answer) {
	r := &a.Request
	p.table("matched", [][]string{{"host " + quoted(r.Host), "path " + r.Path, unless(r.Query, "query "+r.Query), unless(r.Consumer, "consumer "+r.Consumer)}})
	if t := a.TLS; t != nil {
		what := "no certificate"
		if t.SSL != "" {
			what = t.SSL
		}
		if t.Mutual {
			what += ", which demands one of the client"
		}
		p.line("%-10s %s: %s", "tls", quoted(t.SNI), what)
	}
}

func quoted(s string) string {
	if s == "" {
		return `""`
	}
	return s
}

func (p *page) candidates(a *Answer) {
	if a.Route != nil {
		p.table("route", [][]string{row(a.Route, "")})
	} else {
		p.line("%-10s none", "route")
	}
	if a.Asked != nil {
		why := a.Asked.Why
		if why == "" {
			why = "this is the one"
			if a.Route == nil || a.Route.Key != a.Asked.Key {
				why = "all its conditions hold"
			}
		}
		p.table("asked", [][]string{{a.Asked.Key + unless(a.Asked.Name, fmt.Sprintf(" %q", a.Asked.Name)), why}})
	}
	p.list("not", a.Refused, a.RefusedMore, "")
	p.list("disabled", a.Disabled, a.DisabledMore, "")
	p.list("behind", a.Behind, a.BehindMore, "would match, were it not for the one above")
	p.refused(a)
	p.line("")
}

// refused tells what the request may have been meant for.
func (p *page) refused(a *Answer) {
	var rows [][]string
	for _, u := range a.Unusable {
		how := "not in force: "
		if u.Older {
			how = "an older version is in force: "
		}
		rows = append(rows, []string{u.Key, how + u.Why})
	}
	if a.UnusableMore > 0 {
		rows = append(rows, []string{fmt.Sprintf("… and %d more", a.UnusableMore)})
	}
	p.table("refused", rows)
}

func (p *page) list(name string, list []Candidate, more int, fits string) {
	var rows [][]string
	for i := range list {
		why := list[i].Why
		if why == "" {
			why = fits
		}
		rows = append(rows, row(&list[i].Route, why))
	}
	if more > 0 {
		rows = append(rows, []string{fmt.Sprintf("… and %d more", more)})
	}
	p.table(name, rows)
}

func row(r *Route, why string) []string {
	where := r.Path
	if r.Host != "" {
		where = r.Host + r.Path
	}
	return []string{r.Key + unless(r.Name, fmt.Sprintf(" %q", r.Name)), where, fmt.Sprintf("priority %d", r.Priority), why}
}

func (p *page) plugins(a *Answer) {
	var rows [][]string
	for i, u := range a.Plugins {
		how := "runs"
		switch {
		case !u.Runs && u.Guards:
			how = "cannot be run and guards: the route is closed"
		case !u.Runs && u.Name == "prometheus":
			how = "need not be run: the gateway counts for every route"
		case !u.Runs:
			how = "cannot be run: left out"
		}
		if u.Late {
			how += ", after the others have rewritten the request"
		}
		rows = append(rows, []string{fmt.Sprint(i + 1), u.Name, fmt.Sprint(u.Priority), u.From, how})
	}
	p.table("plugins", rows)
	if len(rows) > 0 {
		p.line("")
	}
}

func (p *page) upstream(a *Answer) {
	u := a.Upstream
	if u == nil {
		return
	}
	p.line("%-10s %s  %s over %s, pass_host %s, %s, %s to connect, %s to send, %s to read%s", "upstream", u.Key, u.Type, u.Scheme, u.PassHost,
		tries(u), seconds(u.Connect), seconds(u.Send), seconds(u.Read), websocket(u))
	var rows [][]string
	for _, t := range u.Targets {
		state := "not checked"
		if t.Health != nil {
			state = t.Health.Status.String() + failures(t.Health)
		}
		rows = append(rows, []string{t.Address, fmt.Sprintf("weight %d", t.Weight), fmt.Sprintf("priority %d", t.Priority), unless(t.Zone, "zone "+t.Zone), state})
	}
	if u.TargetsMore > 0 {
		rows = append(rows, []string{fmt.Sprintf("… and %d more", u.TargetsMore)})
	}
	p.table("targets", rows)
	for i, order := range u.Next {
		name := "next"
		if len(u.Next) > 1 {
			name = fmt.Sprintf("next, %d", i+1) // of each event loop
		}
		p.line("%-10s %s", name, strings.Join(order, ", then "))
	}
	p.line("")
}

// failures are those that count against a target now.
func failures(v *health.View) string {
	var out []string
	for _, f := range []struct {
		n    int
		what string
	}{{v.Counters.HTTPFailure, "bad answers"}, {v.Counters.TCPFailure, "without a connection"}, {v.Counters.Timeout, "too late"}} {
		if f.n > 0 {
			out = append(out, fmt.Sprintf("%d %s", f.n, f.what))
		}
	}
	if len(out) == 0 {
		return ""
	}
	return " (" + strings.Join(out, ", ") + "; the last: " + v.Last + ")"
}

func tries(u *Upstream) string {
	s := "1 try"
	if u.Tries > 1 {
		s = fmt.Sprintf("%d tries", u.Tries)
	}
	if u.RetryTimeout > 0 {
		s += " within " + seconds(u.RetryTimeout)
	}
	return s
}

func seconds(s float64) string { return fmt.Sprintf("%gs", s) }

func websocket(u *Upstream) string {
	if u.Websocket {
		return ", WebSocket"
	}
	return ""
}

func (p *page) revisions(a *Answer) {
	var rows [][]string
	for _, o := range a.Objects {
		switch {
		case !o.Missing && o.Modified == 0 && o.Refused == "": // of a file that knows no revisions
		case o.Missing:
			rows = append(rows, []string{o.Key, "is not there", o.Refused})
		default:
			rows = append(rows, []string{o.Key, fmt.Sprintf("created at %d, changed at %d", o.Created, o.Modified), unless(o.Refused, "a newer version is refused: "+o.Refused)})
		}
	}
	for _, prefix := range slices.Sorted(maps.Keys(a.Applied)) {
		if rev := a.Applied[prefix]; rev > 0 {
			rows = append(rows, []string{prefix, fmt.Sprintf("in force up to %d", rev)})
		}
	}
	p.table("revisions", rows)
}
