//! What is searched: a circle or a box, and the nine cells of the grid that cover it.

use super::grid::{Angle, Area, Cell, EARTH_RADIUS_M, LATITUDE_MAX, Place, STEP_MAX};

/// Half the length of the equator in Mercator's projection: where no finer cell is needed.
const MERCATOR_MAX: f64 = 20037726.37;

/// The form, in the unit of the request.
#[derive(Clone, Copy, Debug)]
pub(super) enum Form {
    Circle { radius: f64 },
    Box { width: f64, height: f64 },
}

/// Where to search.
#[derive(Clone, Copy, Debug)]
pub(super) struct Shape {
    pub center: Place,
    pub form: Form,
    /// Metres of the request's unit.
    pub unit_m: f64,
}

impl Shape {
    /// The distance of a place inside, in metres; `None` outside.
    pub fn distance_m(&self, place: Place) -> Option<f64> {
        let Shape { center, form, unit_m } = *self;
        match form {
            Form::Circle { radius } => {
                let distance = center.distance_m(place);
                (distance <= radius * unit_m).then_some(distance)
            }
            Form::Box { width, height } => {
                if place.northing_m(center) > height * unit_m / 2.0 {
                    return None;
                }
                // Along the place's own circle of latitude.
                let beside = Place { longitude: center.longitude, latitude: place.latitude };
                if place.distance_m(beside) > width * unit_m / 2.0 {
                    return None;
                }
                Some(center.distance_m(place))
            }
        }
    }

    /// The cells that cover the shape, the center's first. Those that cannot hold anything of it
    /// are left out.
    pub fn cells(&self) -> [Option<Cell>; 9] {
        let bounds = self.bounds();
        let mut step = self.step();
        let mut home = Cell::of(self.center, step, LATITUDE_MAX);
        let lacks = |cell: Cell, east: i32, north: i32| {
            let area = cell.neighbour(east, north).area();
            match (east, north) {
                (0, 1) => area.latitude.1 < bounds.latitude.1,
                (0, _) => area.latitude.0 > bounds.latitude.0,
                (1, _) => area.longitude.1 < bounds.longitude.1,
                _ => area.longitude.0 > bounds.longitude.0,
            }
        };
        // Near the rim of the grid a neighbour may end before the shape does.
        let sides = [(0, 1), (0, -1), (1, 0), (-1, 0)];
        if step > 1 && sides.into_iter().any(|(east, north)| lacks(home, east, north)) {
            step -= 1;
            home = Cell::of(self.center, step, LATITUDE_MAX);
        }
        let area = home.area();
        let is_needed = |east: i32, north: i32| {
            step < 2
                || !((north < 0 && area.latitude.0 < bounds.latitude.0)
                    || (north > 0 && area.latitude.1 > bounds.latitude.1)
                    || (east < 0 && area.longitude.0 < bounds.longitude.0)
                    || (east > 0 && area.longitude.1 > bounds.longitude.1))
        };
        // North, south, east, west, then the corners: the order of the answer.
        let all = [(0, 0), (0, 1), (0, -1), (1, 0), (-1, 0), (1, 1), (-1, 1), (1, -1), (-1, -1)];
        all.map(|(east, north)| is_needed(east, north).then(|| home.neighbour(east, north)))
    }

    /// The degrees around it.
    fn bounds(&self) -> Area {
        let Shape { center: Place { longitude, latitude }, form, unit_m } = *self;
        let (width, height) = match form {
            Form::Circle { radius } => (radius, radius),
            Form::Box { width, height } => (width / 2.0, height / 2.0),
        };
        let (width, height) = (unit_m * width, unit_m * height);
        let north = (height / EARTH_RADIUS_M).to_degrees_c();
        // The side nearer to the pole spans more degrees.
        let rim = if latitude < 0.0 { latitude - north } else { latitude + north };
        let east = (width / EARTH_RADIUS_M / rim.to_radians_c().cos()).to_degrees_c();
        Area {
            longitude: (longitude - east, longitude + east),
            latitude: (latitude - north, latitude + north),
        }
    }

    /// How fine the grid may be for nine cells to cover the shape.
    fn step(&self) -> u32 {
        let radius = match self.form {
            Form::Circle { radius } => radius,
            Form::Box { width, height } => {
                ((width / 2.0) * (width / 2.0) + (height / 2.0) * (height / 2.0)).sqrt()
            }
        };
        let mut radius_m = radius * self.unit_m;
        if radius_m == 0.0 {
            return STEP_MAX;
        }
        let mut step = 1;
        while radius_m < MERCATOR_MAX {
            radius_m *= 2.0;
            step += 1;
        }
        step -= 2;
        // Towards the poles cells are narrower.
        let latitude = self.center.latitude.abs();
        step -= i32::from(latitude > 66.0) + i32::from(latitude > 80.0);
        step.clamp(1, STEP_MAX as i32) as u32
    }
}
