package report

import (
	"os"
	"strings"

	"github.com/unilb/unilb/conformance/spec"
)

// local is the report with paths below the working directory written relative to
// it: that is where people paste commands, and a report that is published names no
// folders of a machine.
func (r *Report) local() *Report {
	here, err := os.Getwd()
	if err != nil || here == "/" {
		return r
	}
	short := func(s string) string { return strings.ReplaceAll(s, here+"/", "") }
	all := func(lines []string) []string {
		var out []string
		for _, s := range lines {
			out = append(out, short(s))
		}
		return out
	}
	results := func(rs []spec.Result) []spec.Result {
		var out []spec.Result
		for _, x := range rs {
			x.Says, x.Story, x.Evidence, x.Rerun = all(x.Says), all(x.Story), all(x.Evidence), short(x.Rerun)
			out = append(out, x)
		}
		return out
	}
	l := *r
	l.Run.Command, l.Problems, l.Gateway.Driver = short(r.Run.Command), all(r.Problems), short(r.Gateway.Driver)
	l.Cases, l.Scenarios = results(r.Cases), results(r.Scenarios)
	return &l
}
