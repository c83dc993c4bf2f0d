package figure

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"os"
	"slices"
	"strings"
	"text/tabwriter"

	"github.com/unilb/unilb/tools/bench/stage"
)

// A Document is the result of runs on one machine, as it is kept in docs/bench.
type Document struct {
	Machine stage.Machine `json:"machine"`
	Go      string        `json:"go"`
	Rows    []Row         `json:"rows"`
}

// maxEarlier is how many runs a row has beside the last.
const maxEarlier = 2

// Merge puts the rows of an older document of the same machine into this one: rows that
// were not measured again stay, and the runs before stay beside the last, whatever they
// said. Rows are in the order of names; those that names does not have are gone.
func (d *Document) Merge(old Document, names []string) error {
	if err := d.mergeable(old); err != nil {
		return err
	}
	var out []Row
	for _, name := range names {
		now, was := d.row(name), old.row(name)
		switch {
		case now == nil && was != nil:
			out = append(out, *was)
		case now != nil && was != nil:
			before := append([]Row{*was}, was.Earlier...)
			before[0].Earlier = nil
			now.Earlier = before[:min(len(before), maxEarlier)]
			fallthrough
		case now != nil:
			out = append(out, *now)
		}
	}
	d.Rows = out
	return nil
}

func (d *Document) mergeable(old Document) error {
	if old.Machine != d.Machine {
		return fmt.Errorf("the document was made on another machine: %+v, this is %+v", old.Machine, d.Machine)
	}
	return nil
}

// Mergeable tells before rows are measured whether Write will merge them into the file.
func (d *Document) Mergeable(path string) error {
	old, err := Read(path)
	if errors.Is(err, os.ErrNotExist) {
		return nil
	}
	if err == nil {
		err = d.mergeable(old)
	}
	return err
}

func (d *Document) row(name string) *Row {
	for i := range d.Rows {
		if d.Rows[i].Name == name {
			return &d.Rows[i]
		}
	}
	return nil
}

// Read reads a document; the error is os.ErrNotExist when there is none.
func Read(path string) (Document, error) {
	var d Document
	b, err := os.ReadFile(path)
	if err != nil {
		return d, err
	}
	if err := json.Unmarshal(b, &d); err != nil {
		return d, fmt.Errorf("%s: %w", path, err)
	}
	return d, nil
}

// Encode writes the document as JSON.
func (d Document) Encode(to io.Writer) error {
	e := json.NewEncoder(to)
	e.SetIndent("", " ")
	e.SetEscapeHTML(false) // targets are read by people
	return e.Encode(d)
}

// Write puts the document into a file. With names an older one in the file is merged.
func (d Document) Write(path string, names []string) error {
	if names != nil {
		old, err := Read(path)
		if err == nil {
			err = d.Merge(old, names)
		}
		if err != nil && !errors.Is(err, os.ErrNotExist) {
			return err
		}
	}
	var b bytes.Buffer
	if err := d.Encode(&b); err != nil {
		return fmt.Errorf("write the document: %w", err)
	}
	return os.WriteFile(path, b.Bytes(), 0o644)
}

// Print is the rows for people.
func (d Document) Print(to io.Writer) {
	t := tabwriter.NewWriter(to, 0, 0, 2, ' ', 0)
	fmt.Fprintln(t, "row\tvalue\tunit\tlow-high\tA/A\tturns\tforeign\tstolen\ttarget\tverdict\tmore")
	for _, r := range d.Rows {
		fmt.Fprintf(t, "%s\t%s\t%s\t%s\t%s\t%d\t%.2f\t%.2f\t%s\t%s\t%s\n",
			r.Name, Short(r.Value), r.Unit, r.Range(), r.Control(), r.Turns, r.Noise.Foreign, r.Noise.Stolen, orDash(r.Target), r.Verdict, r.Others())
	}
	_ = t.Flush() // to people; the document is what counts
	for _, r := range d.Rows {
		if r.Why != "" {
			fmt.Fprintf(to, "%s: %s\n", r.Name, r.Why)
		}
	}
}

// Short is a figure for people; nil: "-".
func Short(v *float64) string {
	if v == nil {
		return "-"
	}
	return number(*v)
}

func number(v float64) string {
	if v >= 10_000 {
		return fmt.Sprintf("%.0f", v)
	}
	return fmt.Sprintf("%.4g", v)
}

// Range are the ends of the quiet half.
func (r Row) Range() string {
	if r.Low == nil || r.High == nil || *r.Low == *r.High {
		return "-"
	}
	return Short(r.Low) + "–" + Short(r.High)
}

// Control is the spread of the control.
func (r Row) Control() string {
	if r.AA == nil {
		return "-"
	}
	return fmt.Sprintf("%.2f–%.2f", r.AA.Low, r.AA.High)
}

// Others are the other figures of the row.
func (r Row) Others() string {
	var parts []string
	for _, name := range slices.Sorted(maps.Keys(r.More)) {
		parts = append(parts, strings.ReplaceAll(name, "_", " ")+" "+number(r.More[name]))
	}
	return orDash(strings.Join(parts, ", "))
}

// ShortCommit is enough of the commit to find it.
func (r Row) ShortCommit() string {
	const enough = 10
	id := r.Commit[:min(len(r.Commit), enough)]
	if r.Dirty {
		id += "+"
	}
	return id
}

// Runs are a row's last run and those before.
func (r Row) Runs() []Row { return append([]Row{r}, r.Earlier...) }

func orDash(s string) string {
	if s == "" {
		return "-"
	}
	return s
}
