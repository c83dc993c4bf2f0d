package expr

import (
	"runtime"
	"testing"
)

func TestAPatternIsCompiledOnceAndForgottenWithItsLastUse(t *testing.T) {
	first, err := shared("^only here$")
	if err != nil {
		t.Fatal(err)
	}
	if second, _ := shared("^only here$"); second != first {
		t.Error("the same text was compiled twice")
	}
	runtime.KeepAlive(first)
	known := func() bool {
		inUse.mu.Lock()
		defer inUse.mu.Unlock()
		_, ok := inUse.by["^only here$"]
		return ok
	}
	for range 1000 {
		if runtime.GC(); !known() {
			return
		}
		runtime.Gosched()
	}
	t.Error("what nobody uses is still known")
}
