// Package vpc owns the unique IP: the address by which a region names one
// guest of one VPC, although VPCs may use the same addresses. It has the types
// that lbc-api and the agents exchange in etcd (Mapping, Port, Network) and the
// life of an address (Address, Table, Pool).
//
// It is pure: values in, values out. It never talks to etcd, reads no clock
// (time is an argument) and draws no random numbers, so that any replica that
// starts from the same table comes to the same result.
//
// Values are safe to share once made; so is a Table that nobody changes.
package vpc
