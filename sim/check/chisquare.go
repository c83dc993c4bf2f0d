package check

import "math"

// chiSquareTail is the probability that a chi-square variable with df degrees
// of freedom exceeds x: the upper regularised incomplete gamma function
// Q(df/2, x/2), by its series or its continued fraction, whichever converges.
func chiSquareTail(x float64, df int) float64 {
	if df <= 0 {
		return 1 // one category: nothing can deviate
	}
	if x <= 0 {
		return 1
	}
	a, z := float64(df)/2, x/2
	lg, _ := math.Lgamma(a)
	scale := math.Exp(-z + a*math.Log(z) - lg)
	const rounds, eps = 10_000, 1e-14
	if z < a+1 {
		term, sum := 1/a, 1/a
		for n := 1; n < rounds && math.Abs(term) > eps*math.Abs(sum); n++ {
			term *= z / (a + float64(n))
			sum += term
		}
		return 1 - sum*scale
	}
	// Lentz's method.
	const tiny = 1e-300
	b := z + 1 - a
	c, d := 1/tiny, 1/b
	h := d
	for n := 1; n < rounds; n++ {
		an := -float64(n) * (float64(n) - a)
		b += 2
		d = nonzero(an*d + b)
		c = nonzero(b + an/c)
		d = 1 / d
		step := d * c
		h *= step
		if math.Abs(step-1) < eps {
			break
		}
	}
	return scale * h
}

func nonzero(x float64) float64 {
	if math.Abs(x) < 1e-300 {
		return 1e-300
	}
	return x
}
