package main

import (
	"fmt"
	"io"
	"os"
	"strings"
	"time"

	"github.com/unilb/unilb/sim/bundle"
	"github.com/unilb/unilb/sim/history"
	"github.com/unilb/unilb/sim/timeline"
	"github.com/unilb/unilb/topology"
)

// printStory prints an operation as somebody would tell it.
func printStory(to io.Writer, s timeline.Story) error {
	o := s.Op
	var b strings.Builder
	fmt.Fprintf(&b, "op %s   %s %s %s%s   stream %s\n", o.ID, o.Client, o.Request.Method, o.Request.Host, o.Request.Target, o.Stream)
	fmt.Fprintf(&b, "  intended  +%s\n", exact(o.Intended))
	fmt.Fprintf(&b, "  sent      +%s   %s\n", exact(o.Sent), connectionText(o))
	fmt.Fprintf(&b, "  returned  +%s   %s after %s", exact(o.Returned), outcomeText(o), (o.Returned - o.Sent).Round(time.Microsecond))
	if o.Error != "" {
		fmt.Fprintf(&b, ": %s", o.Error)
	}
	b.WriteString("\n")
	if r := o.Response; r != nil {
		by := "the gateway itself"
		if r.Backend != "" {
			by = string(r.Backend)
		}
		fmt.Fprintf(&b, "  response  %d by %s, %d bytes\n", r.Status, by, r.BodyLen)
	}
	for _, h := range s.Arrivals {
		fmt.Fprintf(&b, "  arrived   +%s   %s\n", exact(h.At), hopText(h))
	}
	if len(s.Arrivals) == 0 {
		b.WriteString("  arrived   nowhere\n")
	}
	if len(s.Faults) > 0 {
		b.WriteString("\nin force while it was under way\n")
	}
	for _, f := range s.Faults {
		end := "the end"
		if !f.Open() {
			end = "+" + seconds(f.To)
		}
		fmt.Fprintf(&b, "  +%s to %s  %s: %s\n", seconds(f.From), end, f.ID, f.Text)
	}
	if len(s.Around) > 0 {
		b.WriteString("\na second before to a second after\n")
	}
	for _, m := range s.Around[:min(len(s.Around), momentsShown)] {
		fmt.Fprintln(&b, momentText(m))
	}
	_, err := io.WriteString(to, b.String())
	return err
}

// exact prints a time to the microsecond: that is what causes and effects differ by.
func exact(d time.Duration) string { return fmt.Sprintf("%.6fs", d.Seconds()) }

func connectionText(o history.Op) string {
	switch {
	case o.Conn == 0:
		return fmt.Sprintf("to %s; no connection was made", o.To)
	case o.Reused == 0:
		return fmt.Sprintf("from %s to %s, first request of connection %x", o.From, o.To, o.Conn)
	default:
		return fmt.Sprintf("from %s to %s, request %d of connection %x", o.From, o.To, o.Reused+1, o.Conn)
	}
}

func outcomeText(o history.Op) string {
	text := map[history.Outcome]string{history.OK: "ok", history.Fail: "failed"}[o.Outcome]
	if text == "" {
		text = "outcome unknown"
	}
	if o.Class != history.ClassNone {
		text += " (" + string(o.Class) + ")"
	}
	return text
}

func hopText(h timeline.Hop) string {
	text := "at " + string(h.Backend)
	var where []string
	if h.VNI != 0 {
		where = append(where, fmt.Sprintf("VNI %d", h.VNI))
	}
	if h.Behind != "" {
		where = append(where, "behind "+string(h.Behind))
	}
	if len(where) > 0 {
		text += " (" + strings.Join(where, ", ") + ")"
	}
	text += " from " + h.From
	if h.Gateway != "" {
		text += ", which is " + string(h.Gateway)
	}
	if h.Cut {
		text += "; its body was cut"
	}
	if h.Answer != nil {
		text += fmt.Sprintf("; answered %d", h.Answer.Status)
	} else {
		text += "; not answered"
	}
	return text
}

// printMore names the commands that show more. What exists is named alone.
func printMore(to io.Writer, run *bundle.Bundle, s timeline.Story) error {
	at := "+" + seconds(s.Op.Sent)
	b := &strings.Builder{}
	b.WriteString("\nmore\n")
	fmt.Fprintf(b, "  lbsim show %s --around %s\n", run.Dir, at)
	named := map[topology.Ref]bool{}
	for _, h := range s.Arrivals {
		if h.Gateway != "" && !named[h.Gateway] {
			named[h.Gateway] = true
			fmt.Fprintf(b, "  lbsim logs %s %s --around %s\n", run.Dir, h.Gateway, at)
		}
	}
	if len(named) == 0 {
		fmt.Fprintf(b, "  lbsim logs %s '**' --around %s\n", run.Dir, at)
	}
	if _, err := os.Stat(run.Path(bundle.WiresFile)); err == nil {
		fmt.Fprintf(b, "  tshark -r %s 'frame contains \"%s\"'\n", run.Path(bundle.WiresFile), s.Op.ID)
	}
	_, err := io.WriteString(to, b.String())
	return err
}
