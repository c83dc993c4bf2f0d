package exchange

import (
	"sync"
	"testing"
)

func TestBudgetIsNeverExceeded(t *testing.T) {
	const most, takers, times = 100, 8, 1_000_000
	b := NewBudget(most)
	var wg sync.WaitGroup
	for i := range takers {
		wg.Go(func() {
			for range times {
				n := int64(i + 30) // of which there is room for three or two
				if !b.Take(n) {
					continue
				}
				if held := b.Held(); held > most || held < n {
					t.Errorf("%d bytes are held, %d of them here, of %d", held, n, most)
				}
				b.Give(n)
			}
		})
	}
	wg.Wait()
	if held := b.Held(); held != 0 {
		t.Errorf("%d bytes are held by nobody", held)
	}
	if !b.Take(most) || b.Take(1) || !b.Take(0) || b.Held() != most {
		t.Errorf("%d of %d bytes are held when all were taken", b.Held(), most)
	}
	if b.Give(1); b.Take(2) || !b.Take(1) {
		t.Error("what is given back is not what can be taken")
	}
}

func TestExchangeHoldsNothingOfABudgetBehindIt(t *testing.T) {
	b := NewBudget(10)
	x := &Exchange{}
	for range 2 {
		x.Reset(0, nil)
		if x.Charge(1000); x.Charged() != 1000 { // of nothing
			t.Errorf("%d bytes charged to nobody", x.Charged())
		}
		x.Reset(0, nil)
		if v := x.Collect(5, b); v != Collect || !x.Charge(4) || !x.Charge(6) || x.Charge(1) || x.Charged() != 10 {
			t.Errorf("verdict %d, %d bytes charged", v, x.Charged())
		}
		x.Refund()
		x.Refund()
		if b.Held() != 0 || x.Charged() != 0 {
			t.Errorf("%d bytes held, %d by the exchange", b.Held(), x.Charged())
		}
	}
}
