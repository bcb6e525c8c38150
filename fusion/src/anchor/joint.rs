//! What is known together of the map's place and of navigation's slow error.
//!
//! That error has two parts, both first-order Gauss–Markov processes of one time constant. The *usual*
//! one is there when navigation is at its best: carrier multipath, alignment. The *passing* one is what
//! it states beyond that for a while: the drift of an outage. Where satellites are back the passing part
//! is gone, and the usual one is what it was before, but for what time has changed of it. So fixes after
//! an outage are no second opinion beside those before it.

use nalgebra::allocator::Allocator;
use nalgebra::{Const, DefaultAllocator, DimDiff, DimSub, Matrix3, Matrix6, SMatrix, U1, Vector6};

/// Of the map's place, the usual and the passing part: six axes each.
type Covariance = SMatrix<f64, 18, 18>;
/// What each of them gains from a difference on six axes.
pub(super) type Gain = SMatrix<f64, 18, 6>;

const MAP: usize = 0;
const USUAL: usize = 6;
const PASSING: usize = 12;
/// Share of the usual variance that is passing at least, so that it always has an inverse.
const LEAST: f64 = 1e-9;

/// The map's place and the slow error, as right perturbations of the body's pose.
pub(super) struct Joint {
    covariance: Covariance,
    usual: Part,
    passing: Part,
    /// The passing part's variance as it is stated, on the axes of `World`.
    beyond: Vector6<f64>,
}

/// A part of the slow error.
struct Part {
    error: Vector6<f64>,
    /// Its variance where nothing is known of it.
    stated: Matrix6<f64>,
}

impl Part {
    fn none() -> Self {
        Self {
            error: Vector6::zeros(),
            stated: Matrix6::zeros(),
        }
    }
}

impl Joint {
    /// Before any fix, with what is known of the map's place.
    pub(super) fn new(map: &Matrix6<f64>) -> Self {
        let mut joint = Self {
            covariance: Covariance::zeros(),
            usual: Part::none(),
            passing: Part::none(),
            beyond: Vector6::zeros(),
        };
        joint.set(MAP, MAP, map);
        joint
    }

    /// The first fix: what is slow of its error, and, where it places the map, its whole covariance.
    pub(super) fn tie(&mut self, slow: &Matrix6<f64>, map: Option<&Matrix6<f64>>) {
        let least = Matrix6::from_diagonal(&(slow.diagonal() * LEAST));
        self.beyond = least.diagonal();
        (self.usual.stated, self.passing.stated) = (*slow, least);
        self.set(USUAL, USUAL, slow);
        self.set(PASSING, PASSING, &least);
        if let Some(map) = map {
            self.set(MAP, MAP, map);
            self.set(MAP, USUAL, &-slow);
            self.set(USUAL, MAP, &-slow);
        }
    }

    /// Covariance of the map's place.
    pub(super) fn map(&self) -> Matrix6<f64> {
        self.block(MAP, MAP)
    }

    /// The slow error as it is known.
    pub(super) fn error(&self) -> Vector6<f64> {
        self.usual.error + self.passing.error
    }

    /// Covariance of the slow error.
    pub(super) fn slow(&self) -> Matrix6<f64> {
        let both = self.block(USUAL, PASSING);
        self.block(USUAL, USUAL) + self.block(PASSING, PASSING) + both + both.transpose()
    }

    /// Covariance of a fix without its noise, seen from the pose on the map.
    pub(super) fn fix(&self) -> Matrix6<f64> {
        let cross = self.block(MAP, USUAL) + self.block(MAP, PASSING);
        symmetric(self.map() + self.slow() + cross + cross.transpose())
    }

    /// The body moved, and some of the slow error was forgotten: `carry` takes a perturbation there,
    /// `turned` what stays as it is in `World`, and the map's place drifts.
    pub(super) fn travel(
        &mut self,
        carry: &Matrix6<f64>,
        turned: &Matrix6<f64>,
        keep: f64,
        drift: &Matrix6<f64>,
    ) {
        let mut step = Covariance::zeros();
        step.fixed_view_mut::<6, 6>(MAP, MAP).copy_from(carry);
        for part in [USUAL, PASSING] {
            step.fixed_view_mut::<6, 6>(part, part)
                .copy_from(&(turned * keep));
        }
        self.covariance = step * self.covariance * step.transpose();
        // What an outage adds stays as it is in `World`; what a device states at its best it states on
        // the body's axes, however that lies.
        self.passing.stated = symmetric(turned * self.passing.stated * turned.transpose());
        for part in [&mut self.usual, &mut self.passing] {
            part.error = turned * part.error * keep;
        }
        let renewed = 1.0 - keep * keep;
        self.grow(MAP, drift);
        self.grow(USUAL, &(self.usual.stated * renewed));
        self.grow(PASSING, &(self.passing.stated * renewed));
        self.covariance = symmetric(self.covariance);
    }

    /// Makes the map's place less certain by this covariance.
    pub(super) fn add(&mut self, covariance: &Matrix6<f64>) {
        self.grow(MAP, &symmetric(*covariance));
    }

    /// Takes what navigation, whose axes lie like this, now states of its slow error.
    ///
    /// What is less than ever before it has learned for good; what is more passes. A variance that grows lets
    /// the error grow at once. Where one falls from S to s, the device has learned something: by Kalman's
    /// update `e⁺ = (1 − K) e⁻ − K v` with `s = (1 − K) S`, of the old error only s/S is left, and the rest
    /// of s is new. The usual part is looked at on the body's axes, on which devices state what they always
    /// state; the passing one on those of `World`, in which it drifts while the body rolls.
    pub(super) fn restate(&mut self, now: &Matrix6<f64>, world_from_body: &Matrix3<f64>) {
        let before = self.usual.stated.diagonal();
        let left = now
            .diagonal()
            .zip_map(&before, |now, before| (now / before).min(1.0));
        let root = Matrix6::from_diagonal(&left.map(f64::sqrt));
        self.usual.stated = root * self.usual.stated * root;
        self.shrink(USUAL, &Matrix6::from_diagonal(&left));
        let new = left.zip_map(&before, |left, before| left * (1.0 - left) * before);
        self.grow(USUAL, &Matrix6::from_diagonal(&new));

        let turn = on_both(world_from_body);
        let beyond = (turn * (now - self.usual.stated) * turn.transpose()).diagonal();
        let least = self.usual.stated.diagonal() * LEAST;
        let beyond = beyond.map(|beyond| beyond.max(0.0)) + least;
        let before = std::mem::replace(&mut self.beyond, beyond);
        let left = beyond.zip_map(&before, |now, before| (now / before).min(1.0));
        let new = beyond - left.component_mul(&left).component_mul(&before);
        let in_body = |on_axes: &Vector6<f64>| turn.transpose() * Matrix6::from_diagonal(on_axes) * turn;
        self.shrink(PASSING, &in_body(&left));
        self.grow(PASSING, &in_body(&new));
        self.passing.stated = in_body(&beyond);
    }

    /// What a difference between a fix and its estimate says, where `weight` is the inverse of its
    /// covariance.
    pub(super) fn gain(&self, weight: &Matrix6<f64>) -> Gain {
        let columns = self.covariance.fixed_columns::<6>(MAP)
            + self.covariance.fixed_columns::<6>(USUAL)
            + self.covariance.fixed_columns::<6>(PASSING);
        columns * weight
    }

    /// Takes a difference: by it the errors move, and `less` of its covariance is not left.
    pub(super) fn take(&mut self, gain: &Gain, difference: &Vector6<f64>, less: &Matrix6<f64>) {
        let step = gain * difference;
        self.usual.error += step.fixed_rows::<6>(USUAL);
        self.passing.error += step.fixed_rows::<6>(PASSING);
        self.covariance = possible(self.covariance - gain * less * gain.transpose());
    }

    /// Of a part's error only so much is left.
    fn shrink(&mut self, part: usize, left: &Matrix6<f64>) {
        let rows = left * self.covariance.fixed_rows::<6>(part);
        self.covariance.fixed_rows_mut::<6>(part).copy_from(&rows);
        let columns = self.covariance.fixed_columns::<6>(part) * left.transpose();
        self.covariance.fixed_columns_mut::<6>(part).copy_from(&columns);
        let of = if part == USUAL {
            &mut self.usual
        } else {
            &mut self.passing
        };
        of.error = left * of.error;
    }

    fn block(&self, row: usize, column: usize) -> Matrix6<f64> {
        self.covariance.fixed_view::<6, 6>(row, column).into_owned()
    }

    fn set(&mut self, row: usize, column: usize, to: &Matrix6<f64>) {
        self.covariance.fixed_view_mut::<6, 6>(row, column).copy_from(to);
    }

    fn grow(&mut self, part: usize, by: &Matrix6<f64>) {
        let sum = self.block(part, part) + by;
        self.set(part, part, &sum);
    }
}

/// The nearest covariance there can be. What is left of a difference of large ones, as behind a fix
/// from far beyond the Earth, may by rounding be less than nothing along an axis.
pub(super) fn possible<const N: usize>(covariance: SMatrix<f64, N, N>) -> SMatrix<f64, N, N>
where
    Const<N>: DimSub<U1>,
    DefaultAllocator: Allocator<DimDiff<Const<N>, U1>>,
{
    let covariance = symmetric(covariance);
    if covariance.cholesky().is_some() || !covariance.iter().all(|value| value.is_finite()) {
        return covariance;
    }
    let mut axes = covariance.symmetric_eigen();
    axes.eigenvalues
        .iter_mut()
        .for_each(|value| *value = value.max(0.0));
    symmetric(axes.recompose())
}

/// What turns both halves of a perturbation.
pub(super) fn on_both(turn: &Matrix3<f64>) -> Matrix6<f64> {
    let mut matrix = Matrix6::zeros();
    matrix.fixed_view_mut::<3, 3>(0, 0).copy_from(turn);
    matrix.fixed_view_mut::<3, 3>(3, 3).copy_from(turn);
    matrix
}

pub(super) fn symmetric<const N: usize>(matrix: SMatrix<f64, N, N>) -> SMatrix<f64, N, N> {
    (matrix + matrix.transpose()) * 0.5
}
