package h2

import (
	"strings"
	"testing"
)

func TestLateBodiesOfStreamsThatWereGivenUpAreNoFlood(t *testing.T) {
	m, w := standing(Options{MaxStreams: 128, StreamWindow: 128 << 10})
	part := strings.Repeat("x", frameSize)
	for i := range 300 {
		s := m.ask()
		id := s.ID()
		s.Reset(Cancel)
		w.headers(id, false, status200)
		for range 8 {
			w.data(id, false, part)
		}
		if m.feed(w.take()); m.err != nil {
			t.Fatalf("after %d downloads that were given up: %v", i, m.err)
		}
		m.out = m.out[:0]
	}
}

func TestLateAnswerOfAStreamThatWasGivenUpLongAgoIsPassedOver(t *testing.T) {
	m, w := standing(Options{MaxStreams: 128})
	first := uint32(0)
	for range maxResets + 1 {
		s := m.ask()
		if first == 0 {
			first = s.ID()
		}
		s.Reset(Cancel)
		m.out = m.out[:0]
	}
	if m.feed(w.headers(first, true, status200).take()); m.err != nil {
		t.Fatalf("a late answer of the first of %d streams that were given up: %v", maxResets+1, m.err)
	}
}

func TestAnswersOfTargetsGiveBack(t *testing.T) {
	m, w := standing(Options{})
	m.onAnswer = func(s *Stream) { s.Reset(NoError) } // an owner that wants no more of it
	for i := range 3 * maxCalm {
		s := m.ask()
		if m.feed(w.headers(s.ID(), false, ":status: 103").headers(s.ID(), true, status200).take()); m.err != nil {
			t.Fatalf("after %d whole answers: %v", i, m.err)
		}
		m.out = m.out[:0]
	}
}
