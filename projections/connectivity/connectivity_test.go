package connectivity_test

import (
	"testing"

	"rollcall/projections/internal/projectiontest"
	"rollcall/projections/connectivity"
)

func TestGolden(t *testing.T) { projectiontest.Golden(t, connectivity.Projection()) }

func TestAnyBatching(t *testing.T) { projectiontest.AnyBatching(t, connectivity.Projection()) }
