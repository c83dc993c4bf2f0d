package main

import (
	"fmt"
	"math"
	"strings"
)

// A bar is one row of a plot: a ratio with its ends and its bound.
type bar struct {
	label           string
	value           float64
	low, high       float64 // 0: not known
	bound           float64 // 0: none
	verdict         Verdict
	note            string // in place of a value
	beside          float64
	besideIsMeasure bool // beside was measured; it is drawn as a hollow mark
}

// A plot is bars of ratios on one axis that begins at 0; 1 is nginx.
type plot struct {
	title, axis string
	besideName  string // what the hollow mark is; "": there is none
	bars        []bar
}

// Measures of a plot in its own units.
const (
	plotLabels = 210
	plotWidth  = 560 // of the axis
	plotRight  = 90  // for figures
	plotBar    = 26  // height of a row
	plotTop    = 58
	plotBottom = 44
	plotMost   = 8.0 // ratios beyond it are cut, and say so
)

// colours are readable on white and on black ground.
var colours = map[Verdict]string{Met: "#2e8b57", Missed: "#c8553d", Undecided: "#8a8f98", NotYet: "#8a8f98"}

// svg draws the plot. Equal plots give equal bytes.
func (p plot) svg() string {
	most := 1.2
	for _, b := range p.bars {
		most = max(most, min(max(b.value, b.high, b.bound, b.beside)*1.05, plotMost))
	}
	step := tickStep(most)
	x := func(v float64) float64 { return plotLabels + min(v, most)/most*plotWidth }
	height := plotTop + plotBar*len(p.bars) + plotBottom
	bottom := float64(height - plotBottom)
	var w strings.Builder
	fmt.Fprintf(&w, `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 %d %d" font-family="sans-serif" font-size="12">`+"\n", plotLabels+plotWidth+plotRight, height)
	fmt.Fprintf(&w, `<rect width="100%%" height="100%%" fill="#ffffff"/>`+"\n")
	fmt.Fprintf(&w, `<text x="12" y="22" font-size="15" font-weight="bold" fill="#1f2328">%s</text>`+"\n", escape(p.title))
	legend := "bar: median, green met, red missed, grey undecided; line: quiet half; black mark: target"
	if p.besideName != "" {
		legend += "; ring: " + p.besideName
	}
	fmt.Fprintf(&w, `<text x="12" y="42" fill="#57606a">%s</text>`+"\n", escape(legend))
	for i := 0; float64(i)*step <= most; i++ {
		v := float64(i) * step
		colour := "#d8dee4"
		if math.Abs(v-1) < step/1000 {
			colour = "#57606a" // nginx
		}
		fmt.Fprintf(&w, `<line x1="%.1f" y1="%d" x2="%.1f" y2="%.1f" stroke="%s"/>`+"\n", x(v), plotTop, x(v), bottom, colour)
		fmt.Fprintf(&w, `<text x="%.1f" y="%.1f" text-anchor="middle" fill="#57606a">%.4g</text>`+"\n", x(v), bottom+16, v)
	}
	fmt.Fprintf(&w, `<text x="%d" y="%.1f" text-anchor="middle" fill="#57606a">%s</text>`+"\n", plotLabels+plotWidth/2, bottom+34, escape(p.axis))
	for i, b := range p.bars {
		b.draw(&w, float64(plotTop+plotBar*i), x, most)
	}
	w.WriteString("</svg>\n")
	return w.String()
}

// tickStep is the distance of marks on the axis: 1 is always one of them.
func tickStep(most float64) float64 {
	for _, s := range []float64{0.1, 0.2, 0.25, 0.5, 1} {
		if most/s <= 12 {
			return s
		}
	}
	return 1
}

func (b bar) draw(w *strings.Builder, top float64, x func(float64) float64, most float64) {
	mid := top + plotBar/2
	fmt.Fprintf(w, `<text x="%d" y="%.1f" text-anchor="end" fill="#1f2328">%s</text>`+"\n", plotLabels-8, mid+4, escape(b.label))
	if b.value == 0 {
		fmt.Fprintf(w, `<text x="%.1f" y="%.1f" fill="#57606a">%s</text>`+"\n", x(0)+6, mid+4, escape(b.note))
	} else {
		fmt.Fprintf(w, `<rect x="%.1f" y="%.1f" width="%.1f" height="14" fill="%s"/>`+"\n", x(0), mid-7, x(b.value)-x(0), colours[b.verdict])
		if b.high > 0 {
			fmt.Fprintf(w, `<line x1="%.1f" y1="%.1f" x2="%.1f" y2="%.1f" stroke="#1f2328" stroke-width="1.5"/>`+"\n", x(b.low), mid, x(b.high), mid)
		}
		text := fmt.Sprintf("%.2f", b.value)
		if b.value > most {
			text += " →" // the bar is cut
		}
		fmt.Fprintf(w, `<text x="%d" y="%.1f" fill="#1f2328">%s</text>`+"\n", plotLabels+plotWidth+10, mid+4, text)
	}
	if b.besideIsMeasure {
		fmt.Fprintf(w, `<circle cx="%.1f" cy="%.1f" r="4" fill="#ffffff" stroke="#1f2328" stroke-width="1.5"/>`+"\n", x(b.beside), mid)
	}
	if b.bound > 0 {
		fmt.Fprintf(w, `<line x1="%.1f" y1="%.1f" x2="%.1f" y2="%.1f" stroke="#000000" stroke-width="3"/>`+"\n", x(b.bound), mid-10, x(b.bound), mid+10)
	}
}

func escape(s string) string {
	return strings.NewReplacer("&", "&amp;", "<", "&lt;", ">", "&gt;", `"`, "&quot;").Replace(s)
}
