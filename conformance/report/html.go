package report

import (
	_ "embed"
	"html/template"
	"io"
	"time"

	"github.com/unilb/unilb/conformance/spec"
)

//go:embed report.html.tmpl
var pageText string

// HTML writes one page that needs neither network nor scripts.
func (r *Report) HTML(w io.Writer) error {
	page, err := template.New("report").Funcs(template.FuncMap{
		"ms":      func(d time.Duration) string { return d.Round(time.Millisecond).String() },
		"because": func(x *spec.Reason) string { return because(*x) },
		"mark":    func(s spec.State) string { return marks[s] },
		"failed":  func(s spec.State) bool { return s.Counts() == spec.Failed },
		"skipped": func(s spec.State) bool { return s.Counts() == spec.Skipped },
		"utc":     func(t time.Time) string { return t.UTC().Format("2006-01-02 15:04:05Z") },
	}).Parse(pageText)
	if err != nil {
		return err
	}
	return page.Execute(w, r)
}
