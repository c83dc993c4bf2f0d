//go:build netns

package main

import (
	"strings"
	"testing"

	"github.com/unilb/unilb/sim/sandbox"
	"github.com/unilb/unilb/tools/bench/stage/stagetest"
)

func TestMain(m *testing.M) { sandbox.Main(m) }

// opened is a benchmark with one round. It skips where a tool is missing (see stagetest.Bin).
func opened(t *testing.T) *bench {
	t.Helper()
	b := &bench{bin: stagetest.Bin(t, lookTools()), gateways: []Gateway{{Name: "l7gw"}}, rounds: 1, proxyCPU: 0, loadCPU: 1, log: t.Output()}
	t.Cleanup(func() { stagetest.Closed(t, b.close(), b.groups) })
	if err := b.open(t.Context()); err != nil {
		t.Fatal(err)
	}
	return b
}

func row(t *testing.T, load string) Row {
	t.Helper()
	rs, err := chooseRows(load)
	if err != nil || len(rs) != 1 {
		t.Fatalf("%d rows %s, %v", len(rs), load, err)
	}
	return rs[0].filled()
}

// The whole way, once: every proxy answers, is loaded, and its CPU time is counted.
func TestEveryProxyIsMeasured(t *testing.T) {
	b := opened(t)
	for _, load := range []string{"h1-open-2k", "h1-reload"} {
		r := row(t, load)
		r.Slice = plainSlice // nothing is judged
		m, err := b.measure(t.Context(), r)
		if err != nil {
			t.Fatal(err)
		}
		for _, name := range []string{nginxName, controlName, haproxyName, "l7gw"} {
			s := m.slices[name]
			if len(s) != 1 || s[0].Requests == 0 && s[0].Errors == 0 || s[0].Busy <= 0 {
				t.Errorf("%s, %s: %+v, want one slice with requests and CPU time; %s", load, name, s, m.why[name])
			}
		}
	}
	tls := row(t, "tls-handshake")
	m, err := b.measure(t.Context(), tls)
	if err != nil {
		t.Fatal(err)
	}
	if len(m.slices[nginxName]) != 1 || len(m.slices[haproxyName]) != 1 {
		t.Errorf("handshakes: %+v", m.slices)
	}
	if lacks := m.lacks["l7gw"] != ""; lacks == (len(m.slices["l7gw"]) == 1) {
		t.Errorf("ours does handshakes, or lacks them: lacks %q, slices %+v", m.lacks["l7gw"], m.slices["l7gw"])
	}
}

// A proxy that answers with other bytes must not be measured.
func TestWrongAnswersStopARow(t *testing.T) {
	b := opened(t)
	s, err := b.newSite(t.Context(), row(t, "h1-128b"))
	if err != nil {
		t.Fatal(err)
	}
	defer func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	}()
	if err := s.checkAnswers(t.Context()); err != nil {
		t.Fatal(err)
	}
	haproxy := s.proxies[1]
	at := haproxy.at
	haproxy.at = responderAt // without the fields that a proxy adds
	if err := s.checkAnswers(t.Context()); err == nil || !strings.Contains(err.Error(), "unequal work") {
		t.Errorf("got %v, want unequal work", err)
	}
	haproxy.at = at
	ours := s.proxies[3]
	ours.at = responderAt
	if err := s.checkAnswers(t.Context()); err != nil || ours.wrong == "" || s.isOurs(haproxy) {
		t.Errorf("ours without the fields: got %v, %q, want it to be ours alone that is wrong", err, ours.wrong)
	}
}
