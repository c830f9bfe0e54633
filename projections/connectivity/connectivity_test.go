package connectivity_test

import (
	"testing"

	"rollcall/projections/connectivity"
	"rollcall/projections/internal/projectiontest"
)

func TestGolden(t *testing.T) { projectiontest.Golden(t, connectivity.Projection()) }

func TestAnyBatching(t *testing.T) { projectiontest.AnyBatching(t, connectivity.Projection()) }
