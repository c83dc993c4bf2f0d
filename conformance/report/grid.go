package report

import (
	"fmt"
	"html/template"
	"io"
	"slices"

	"github.com/unilb/unilb/conformance/casedoc"
	"github.com/unilb/unilb/conformance/spec"
)

// featureGrid is features by profile against gateways.
type featureGrid struct {
	Columns []column
	Groups  []group
}

type column struct {
	Name   string
	Report *Report
}

type group struct {
	Profile string
	Cells   []cell // the profile's result
	Rows    []featureRow
}

type featureRow struct {
	Feature spec.Feature
	Core    bool
	Cells   []cell
}

type cell struct{ Text, Class, Title string }

// gridOf takes profiles and features in the order in which reports first name them.
func gridOf(reports []*Report) featureGrid {
	var g featureGrid
	for _, r := range reports {
		g.Columns = append(g.Columns, column{Name: columnName(r, reports), Report: r})
		for _, p := range r.Profiles {
			if !slices.ContainsFunc(g.Groups, func(x group) bool { return x.Profile == p.Name }) {
				g.Groups = append(g.Groups, group{Profile: p.Name})
			}
		}
	}
	for i := range g.Groups {
		x := &g.Groups[i]
		for _, r := range reports {
			x.Cells = append(x.Cells, profileCell(r, x.Profile))
			for _, f := range r.Features {
				if f.Profile == x.Profile && !slices.ContainsFunc(x.Rows, func(y featureRow) bool { return y.Feature == f.Feature }) {
					x.Rows = append(x.Rows, featureRow{Feature: f.Feature, Core: f.Core})
				}
			}
		}
		for j := range x.Rows {
			for _, r := range reports {
				x.Rows[j].Cells = append(x.Rows[j].Cells, featureCell(r, x.Rows[j].Feature))
			}
		}
	}
	return g
}

// columnName is the gateway's name, with its version where a name is not enough.
func columnName(r *Report, all []*Report) string {
	for _, other := range all {
		if other != r && other.Gateway.Name == r.Gateway.Name {
			return r.Gateway.Name + " " + r.Gateway.Version
		}
	}
	return r.Gateway.Name
}

func profileCell(r *Report, name string) cell {
	for _, p := range r.Profiles {
		if p.Name == name {
			return cell{Text: p.Result, Class: p.Result, Title: p.Summary}
		}
	}
	return cell{Text: "not run", Class: "unjudged"}
}

func featureCell(r *Report, f spec.Feature) cell {
	i := slices.IndexFunc(r.Features, func(x FeatureResult) bool { return x.Feature == f })
	if i < 0 {
		return cell{Text: "", Class: "unjudged", Title: "not part of this report"}
	}
	x := r.Features[i]
	c := cell{Class: string(x.State), Title: fmt.Sprintf("%s: %d of %d cases passed", x.State, x.Passed, x.Cases)}
	of := fmt.Sprintf("%d/%d", x.Passed, x.Cases)
	switch x.State {
	case Supported:
		c.Text = "✓ " + of
	case PartlyJudged:
		c.Text = "partial " + of
	case NotMet:
		c.Text = "✗ " + of
	case FeatureUndecided:
		c.Text = "? " + of
	case Unjudged:
		c.Text, c.Title = "not judged", "claimed, and no case of it was judged"
	default:
		c.Text, c.Title = "–", "not claimed"
		if x.Cases > 0 && x.Passed == x.Cases {
			c.Text, c.Title = "– ✓", "not claimed, and passes every case"
		}
	}
	return c
}

// gridPage is what the template of several reports shows.
type gridPage struct {
	Title  string
	Style  template.CSS
	Notes  []string
	Matrix []matrixRow
	featureGrid
}

type matrixRow struct {
	Case, Title string
	Doc         *casedoc.Entry
	Cells       []cell
	Says        []string // of those that did not pass
}

// Grid writes one page about several gateways: verdicts, features, cases. It needs
// neither network nor scripts.
func Grid(w io.Writer, reports []*Report) error {
	g := gridPage{Title: fmt.Sprintf("%d gateways, one suite", len(reports)), featureGrid: gridOf(reports)}
	if len(reports) > 0 && slices.ContainsFunc(reports, func(r *Report) bool { return r.Suite.Cases != reports[0].Suite.Cases }) {
		g.Title = fmt.Sprintf("%d gateways", len(reports))
		g.Notes = append(g.Notes, "These reports are of different lists of cases: compare only what they have in common.")
	}
	if slices.ContainsFunc(reports, func(r *Report) bool { return r.Run.Left > 0 }) {
		g.Notes = append(g.Notes, "Not every report is of the whole suite: what nobody asked for is not judged.")
	}
	rows := map[string]int{}
	for i, r := range reports {
		for _, res := range r.Cases {
			at, ok := rows[res.Case]
			if !ok {
				at = len(g.Matrix)
				rows[res.Case] = at
				g.Matrix = append(g.Matrix, matrixRow{Case: res.Case, Title: res.Title, Doc: docOf(res.Case), Cells: make([]cell, len(reports))})
			}
			row := &g.Matrix[at]
			row.Cells[i] = cell{Text: marks[res.State], Class: string(res.State), Title: Line(res)}
			if res.Counts() == spec.Failed || res.Flaky || res.Quarantine != nil {
				row.Says = append(row.Says, g.Columns[i].Name+": "+told(res))
			}
		}
	}
	return execute(w, "grid.html.tmpl", func(css template.CSS) any { g.Style = css; return g })
}

// told is what one line can say about a result that needs attention.
func told(res spec.Result) string {
	if res.Flaky && len(res.Says) > 1 {
		return shorten(fmt.Sprintf("flaky, %d of %d passed: %s", res.Passed, res.Runs, res.Says[1])) // the first line says that it is flaky
	}
	return shorten(first(res))
}

// shorten cuts a line that would fill a table; the report itself has all of it.
func shorten(s string) string {
	const most = 160
	if r := []rune(s); len(r) > most {
		return string(r[:most]) + "…"
	}
	return s
}
