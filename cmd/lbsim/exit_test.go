package main

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"strings"
	"testing"

	"github.com/unilb/unilb/sim/fault"
	"github.com/unilb/unilb/sim/lab"
	"github.com/unilb/unilb/sim/lab/supervisor"
	"github.com/unilb/unilb/topology"
)

func TestErrorsHaveExitCodes(t *testing.T) {
	interrupted, cancel := context.WithCancel(t.Context())
	cancel()
	_, unknown := topology.LoadLibrary("hallo")
	_, invalid := topology.Parse("x.yaml", []byte("lab: x\n"))
	for name, c := range map[string]struct {
		ctx  context.Context
		err  error
		want int
	}{
		"of a command":     {t.Context(), &exitError{code: 7}, 7},
		"interrupted":      {interrupted, errors.New("whatever"), codeInterrupted},
		"unknown topology": {t.Context(), unknown, codeInput},
		"invalid topology": {t.Context(), invalid, codeInput},
		"no lab":           {t.Context(), &supervisor.NotFound{}, codeInput},
		"name in use":      {t.Context(), fmt.Errorf("up: %w", &supervisor.InUse{Name: "x"}), codeInput},
		"fault impossible": {t.Context(), fmt.Errorf("inject: %w", &fault.Unavailable{Why: "no wire", Machine: true}), codeMachine},
		"fault misplaced":  {t.Context(), fmt.Errorf("inject: %w", &fault.Unavailable{Why: "no node"}), codeInput},
		"machine cannot":   {t.Context(), fmt.Errorf("up: %w", &lab.Unavailable{Why: errors.New("no")}), codeMachine},
		"foreign gateway":  {t.Context(), fmt.Errorf("up: %w", &lab.ForeignGateway{Driver: "apisix-3"}), codeInput},
		"binaries missing": {t.Context(), fmt.Errorf("up: %w", &lab.MissingBinaries{}), codeInput},
		"anything else":    {t.Context(), errors.New("disk full"), codeBroken},
	} {
		if got := codeOf(c.ctx, c.err); got != c.want {
			t.Errorf("%s (%v): exit code %d, want %d", name, c.err, got, c.want)
		}
	}
}

func TestHelpAsksTheGatewayOfHello(t *testing.T) {
	s, err := topology.LoadLibrary("hello")
	if err != nil {
		t.Fatal(err)
	}
	p, err := s.Plan()
	if err != nil {
		t.Fatal(err)
	}
	if want := fmt.Sprintf("curl -s http://%s/", p.OfKind(topology.KindL7)[0].Underlay); !strings.Contains(help, want) {
		t.Errorf("the help does not say %q", want)
	}
}

func TestFaultsAreParsed(t *testing.T) {
	for line, want := range map[string]string{
		"kill bj/az1/l7-1 gateway":         "kill -9 gateway on bj/az1/l7-1",
		"freeze bj/**":                     "freeze everything on bj/**",
		"power-off bj/az1/**":              "bj/az1/** loses power",
		"partition bj/az1/** bj/az2/**":    "bj/az1/** and bj/az2/** no longer reach each other",
		"partition client/* idc/** b-to-a": "idc/** no longer reaches client/*",
		"power-off a b":                    "", "partition a": "", "flood a": "", "kill !": "",
	} {
		words := strings.Fields(line)
		f, err := fault.Parse(words[0], words[1:]...)
		if want == "" {
			if err == nil {
				t.Errorf("%q was read as %s", line, f)
			}
			continue
		}
		if err != nil || f.String() != want {
			t.Errorf("%q: got %v, %v, want %q", line, f, err, want)
		}
	}
}

func TestHelpOfEveryCommandFitsAScreen(t *testing.T) {
	const lines = 24
	if n := strings.Count(help, "\n"); n > lines {
		t.Errorf("lbsim --help has %d lines, want %d at most", n, lines)
	}
	for _, cmd := range newRoot().Commands() {
		if cmd.Hidden {
			continue
		}
		var out strings.Builder
		cmd.SetOut(&out)
		if err := cmd.Help(); err != nil {
			t.Fatal(err)
		}
		if n := strings.Count(out.String(), "\n"); n > lines {
			t.Errorf("lbsim %s --help has %d lines, want %d at most", cmd.Name(), n, lines)
		}
		if !strings.Contains(help, cmd.Name()) {
			t.Errorf("lbsim --help does not name %s", cmd.Name())
		}
	}
}

func TestStatusSaysOnWhichHostAGuestIs(t *testing.T) {
	var out strings.Builder
	guest := lab.NodeStatus{Ref: "vpc/shop/web-1", Address: netip.MustParseAddr("192.168.0.10"), Host: "bj/az1/host-1", Power: true}
	if err := printStatus(&out, lab.Status{Lab: "x", Up: true, Nodes: []lab.NodeStatus{guest}}); err != nil {
		t.Fatal(err)
	}
	if want := "192.168.0.10 on bj/az1/host-1"; !strings.Contains(out.String(), want) {
		t.Errorf("got %q, want %q in it", out.String(), want)
	}
}
