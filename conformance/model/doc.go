// Package model owns what the template of a gateway without an Admin API sees:
// the Admin objects of the cases, digested into a plain list of rules in the
// order in which a gateway must try them, and into upstreams, certificates and
// settings with every reference resolved and every default filled in.
//
// It is pure. An object that the model has no word for is refused with *NoWord,
// never passed over: a route that lost a condition would be judged as if the
// gateway had lost it.
package model
