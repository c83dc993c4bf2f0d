package report

import (
	"embed"
	"fmt"
	"html/template"
	"io"
	"strings"
	"time"

	"github.com/unilb/unilb/conformance/casedoc"
	"github.com/unilb/unilb/conformance/spec"
)

//go:embed *.html.tmpl page.css
var pageFiles embed.FS

// page is what the template of a single report shows.
type page struct {
	Title       string
	Style       template.CSS
	Report      *Report
	Failures    []shown
	Quarantined []shown // that did not pass
	Flaky       int
	Cases       []shown
	featureGrid
}

// A shown result knows its page, when there is one.
type shown struct {
	spec.Result
	Doc   *casedoc.Entry
	Shown bool // among failures or in quarantine
}

// HTML writes one page that needs neither network nor scripts: the pages of the
// cases are part of it.
func (r *Report) HTML(w io.Writer) error {
	p := page{Title: r.Gateway.Name + ": " + r.Verdict, Report: r, featureGrid: gridOf([]*Report{r})}
	for _, res := range r.Cases {
		s := shown{Result: res, Doc: docOf(res.Case)}
		s.Shown = p.sort(s)
		p.Cases = append(p.Cases, s)
	}
	for _, res := range r.Scenarios {
		p.sort(shown{Result: res})
	}
	return execute(w, "report.html.tmpl", func(css template.CSS) any { p.Style = css; return p })
}

// sort puts what deserves attention where it is shown.
func (p *page) sort(s shown) bool {
	if s.Flaky {
		p.Flaky++
	}
	switch {
	case s.Counts() == spec.Failed:
		p.Failures = append(p.Failures, s)
	case s.Quarantine != nil && s.State.Counts() == spec.Failed:
		p.Quarantined = append(p.Quarantined, s)
	default:
		return false
	}
	return true
}

func docOf(id string) *casedoc.Entry {
	if e, ok := casedoc.Find(id); ok {
		return &e
	}
	return nil
}

// execute fills the named template; view takes the style sheet.
func execute(w io.Writer, name string, view func(template.CSS) any) error {
	css, err := pageFiles.ReadFile("page.css")
	if err != nil {
		return err
	}
	t, err := template.New(name).Funcs(template.FuncMap{
		"ms":          shortly,
		"because":     func(x *spec.Reason) string { return because(*x) },
		"mark":        func(s spec.State) string { return marks[s] },
		"labels":      labels,
		"quarantined": func(q *spec.Quarantine) string { return quarantined(*q) },
		"failed":      func(r spec.Result) bool { return r.Counts() == spec.Failed },
		"skipped":     func(r spec.Result) bool { return r.Counts() == spec.Skipped },
		"utc":         func(t time.Time) string { return t.UTC().Format("2006-01-02 15:04:05Z") },
		"pair":        func(core, extended int) string { return fmt.Sprintf("%d + %d", core, extended) },
		"join":        joined,
	}).ParseFS(pageFiles, "*.html.tmpl")
	if err != nil {
		return err
	}
	return t.Execute(w, view(template.CSS(css)))
}

// shortly is a time as people read it: milliseconds matter below ten seconds.
func shortly(d time.Duration) string {
	if d < 10*time.Second {
		return d.Round(time.Millisecond).String()
	}
	return d.Round(100 * time.Millisecond).String()
}

func joined(words []spec.Capability) string {
	var out []string
	for _, w := range words {
		out = append(out, string(w))
	}
	return strings.Join(out, ", ")
}
