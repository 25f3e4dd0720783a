//! Times Fidget's evaluators for `python -m bench peers`, which asks by lines on standard input.
//!
//! A line is `WHAT KIND NUMBER IN OUT SECONDS MOST`: what is run by the evaluator "jit" or "vm", for
//! how many seconds or how often at most. NUMBER is the size of a picture or the value of the
//! variable; IN is a file of little-endian floats, OUT the file of the results of one run. The
//! answer is a line with the seconds of each run. What is prepared once a shape is not timed.
//!
//! Pictures of solids are cubes of NUMBER voxels. IN holds the matrix from view space to model
//! space, row by row, then the threads: 1, or 0 for all. Meshes are asked for likewise, NUMBER is
//! the depth of the octree; their seconds on one thread are seconds that the process was at work.

use std::fs;
use std::hint::black_box;
use std::io::{self, BufRead, Write};
use std::ops::IndexMut;
use std::time::Instant;

use fidget::context::{Context, Node};
use fidget::eval::{Function, MathFunction};
use fidget::jit::JitFunction;
use fidget::mesh::{Mesh, Octree, Settings};
use fidget::raster::effects;
use fidget::raster::pixel::{self, EvalConfig, RenderConfig};
use fidget::raster::voxel;
use fidget::raster::ColorImage;
use fidget::render::{RenderHints, ThreadPool};
use fidget::shape::{EzShape, Shape, ShapeVars};
use fidget::types::{Grad, Interval};
use fidget::var::Var;
use fidget::vm::VmFunction;

/// How long and how often something is run.
struct Turn {
    seconds: f64,
    most: usize,
}

impl Turn {
    /// The seconds of each run, after a short one that is not counted.
    fn take<T>(&self, run: impl FnMut() -> T) -> Vec<f64> {
        let start = Instant::now();
        self.take_by(|| start.elapsed().as_secs_f64(), run)
    }

    /// The same by the seconds of a clock. The first run counts if it takes all the time: then
    /// what it warms up is nothing beside it.
    fn take_by<T>(&self, clock: impl Fn() -> f64, mut run: impl FnMut() -> T) -> Vec<f64> {
        let mut timed = || {
            let start = clock();
            black_box(run());
            clock() - start
        };
        let first = timed();
        if first >= self.seconds {
            return vec![first];
        }
        let mut taken = Vec::new();
        let mut sum = 0.0;
        while taken.is_empty() || (sum < self.seconds && taken.len() < self.most) {
            let seconds = timed();
            taken.push(seconds);
            sum += seconds;
        }
        taken
    }
}

/// The shape, and the same less a variable, which is moved by it.
struct Subject<F> {
    shape: Shape<F>,
    moved: Shape<F>,
    variable: Var,
}

impl<F: Function + MathFunction + RenderHints> Subject<F> {
    fn new(context: &mut Context, root: Node) -> Self {
        let variable = Var::new();
        let shape = Shape::new(context, root).unwrap();
        let node = context.var(variable);
        let moved = context.sub(root, node).unwrap();
        let moved = Shape::new(context, moved).unwrap();
        Subject { shape, moved, variable }
    }

    fn answer(&self, what: &str, number: f32, given: &[f32], turn: &Turn) -> (Vec<f64>, Vec<f32>) {
        match what {
            "bitmap" => self.bitmap(number as u32, None, turn),
            "variable" => self.bitmap(given[0] as u32, Some(number), turn),
            "interval" => self.bounds(given, turn),
            "simplify" => self.simplify(given, turn),
            "points" => self.points(given, turn),
            "gradients" => self.gradients(given, turn),
            "solid" => self.solid(number as u32, given, turn),
            "shading" => self.shading(number as u32, given, turn),
            "mesh" => self.mesh(number as u8, given, turn),
            _ => panic!("no {what}"),
        }
    }

    /// A picture on one thread; with a value, its variable alternates between it and half of it.
    fn bitmap(&self, size: u32, value: Option<f32>, turn: &Turn) -> (Vec<f64>, Vec<f32>) {
        let config = RenderConfig::from_size(size.into());
        let how = EvalConfig { threads: None, ..Default::default() };
        let shape = if value.is_some() { &self.moved } else { &self.shape };
        let mut other = false;
        let mut draw = |settled: bool| {
            other = !other && !settled;
            let mut variables = ShapeVars::new();
            if let Some(value) = value {
                let part = if other { 0.5 } else { 1.0 };
                variables.insert(self.variable.index().unwrap(), value * part);
            }
            pixel::render(shape.bind(&variables).unwrap(), &config, &how).unwrap()
        };
        let taken = turn.take(|| draw(false));
        let image = draw(true);
        let pixels = image.iter().map(|p| if p.inside() { 255.0 } else { 0.0 });
        (taken, pixels.collect())
    }

    /// Lower and upper bounds of boxes (x low, x high, y low, y high).
    fn bounds(&self, boxes: &[f32], turn: &Turn) -> (Vec<f64>, Vec<f32>) {
        let mut evaluator = Shape::<F>::new_interval_eval();
        let tape = self.shape.ez_interval_tape();
        let mut found = Vec::new();
        let taken = turn.take(|| {
            found.clear();
            for sides in boxes.chunks_exact(4) {
                let (x, y) = (Interval::new(sides[0], sides[1]), Interval::new(sides[2], sides[3]));
                let (value, _) = evaluator.eval(&tape, x, y, Interval::new(0.0, 0.0)).unwrap();
                found.extend([value.lower(), value.upper()]);
            }
        });
        (taken, found)
    }

    /// The lengths of the shapes simplified to each box.
    fn simplify(&self, boxes: &[f32], turn: &Turn) -> (Vec<f64>, Vec<f32>) {
        let mut evaluator = Shape::<F>::new_interval_eval();
        let tape = self.shape.ez_interval_tape();
        let mut found = Vec::new();
        let taken = turn.take(|| {
            found.clear();
            for sides in boxes.chunks_exact(4) {
                let (x, y) = (Interval::new(sides[0], sides[1]), Interval::new(sides[2], sides[3]));
                let (_, trace) = evaluator.eval(&tape, x, y, Interval::new(0.0, 0.0)).unwrap();
                found.push(match trace {
                    Some(trace) => self.shape.ez_simplify(trace).unwrap().size() as f32,
                    None => self.shape.size() as f32,
                });
            }
        });
        (taken, found)
    }

    /// Values at points: all x, then all y. A single one has an evaluator of its own.
    fn points(&self, given: &[f32], turn: &Turn) -> (Vec<f64>, Vec<f32>) {
        let (x, y) = given.split_at(given.len() / 2);
        if let ([x], [y]) = (x, y) {
            let mut evaluator = Shape::<F>::new_point_eval();
            let tape = self.shape.ez_point_tape();
            let mut found = 0.0;
            let taken = turn.take(|| found = evaluator.eval(&tape, *x, *y, 0.0).unwrap().0);
            return (taken, vec![found]);
        }
        let mut evaluator = Shape::<F>::new_float_slice_eval();
        let tape = self.shape.ez_float_slice_tape();
        let z = vec![0.0; x.len()];
        let taken = turn.take(|| evaluator.eval(&tape, x, y, &z).unwrap()[0]);
        (taken, evaluator.eval(&tape, x, y, &z).unwrap().to_vec())
    }

    /// Value, then the derivatives by x and y at each point.
    fn gradients(&self, given: &[f32], turn: &Turn) -> (Vec<f64>, Vec<f32>) {
        let (x, y) = given.split_at(given.len() / 2);
        let x: Vec<_> = x.iter().map(|&v| Grad::new(v, 1.0, 0.0, 0.0)).collect();
        let y: Vec<_> = y.iter().map(|&v| Grad::new(v, 0.0, 1.0, 0.0)).collect();
        let z = vec![Grad::new(0.0, 0.0, 0.0, 1.0); x.len()];
        let mut evaluator = Shape::<F>::new_grad_slice_eval();
        let tape = self.shape.ez_grad_slice_tape();
        let taken = turn.take(|| evaluator.eval(&tape, &x, &y, &z).unwrap()[0]);
        let found = evaluator.eval(&tape, &x, &y, &z).unwrap();
        (taken, found.iter().flat_map(|g| [g.v, g.dx, g.dy]).collect())
    }

    /// Depth and the gradient of each pixel: four floats.
    fn solid(&self, size: u32, given: &[f32], turn: &Turn) -> (Vec<f64>, Vec<f32>) {
        let mut image = voxel::Image::default();
        let taken = turn.take(|| image = self.voxels(size, given));
        let found = image.iter().flat_map(|p| {
            let [x, y, z] = p.normal;
            [p.depth as f32, x, y, z]
        });
        (taken, found.collect())
    }

    /// Shades of grey with ambient occlusion: all that is done after depth and gradients are there.
    fn shading(&self, size: u32, given: &[f32], turn: &Turn) -> (Vec<f64>, Vec<f32>) {
        let image = self.voxels(size, given);
        let threads = threads_of(given);
        let mut found = ColorImage::default();
        let taken = turn.take(|| {
            let smooth = effects::denoise_normals(&image, threads);
            found = effects::apply_shading(&smooth, true, threads);
        });
        (taken, found.iter().map(|p| f32::from(p[0])).collect())
    }

    /// The number of vertices, their coordinates, and three vertices of each triangle: whole
    /// numbers, which a float holds up to 2^24.
    fn mesh(&self, depth: u8, given: &[f32], turn: &Turn) -> (Vec<f64>, Vec<f32>) {
        let threads = threads_of(given);
        let mut settings = Settings { depth, threads, ..Default::default() };
        set_matrix(&mut settings.world_to_model, given);
        let variables = ShapeVars::new();
        let shape = self.shape.bind(&variables).unwrap();
        let mut mesh = Mesh::default();
        let run = || mesh = Octree::build(&shape, &settings).unwrap().walk_dual();
        let taken = if threads.is_none() { turn.take_by(at_work, run) } else { turn.take(run) };
        assert!(mesh.vertices.len() <= 1 << 24);
        let mut found = vec![mesh.vertices.len() as f32];
        found.extend(mesh.vertices.iter().flatten());
        found.extend(mesh.triangles.iter().flatten().map(|&vertex| vertex as f32));
        (taken, found)
    }

    fn voxels(&self, size: u32, given: &[f32]) -> voxel::Image {
        let mut config = voxel::RenderConfig::from_size(size.into());
        set_matrix(&mut config.world_to_model, given);
        let how = voxel::EvalConfig { threads: threads_of(given), ..Default::default() };
        let variables = ShapeVars::new();
        voxel::render(self.shape.bind(&variables).unwrap(), &config, &how).unwrap()
    }
}

/// The matrix that is given first.
fn set_matrix(matrix: &mut impl IndexMut<(usize, usize), Output = f32>, given: &[f32]) {
    for (i, value) in given[..16].iter().enumerate() {
        matrix[(i / 4, i % 4)] = *value;
    }
}

/// Seconds that this process has been at work.
#[cfg(unix)]
fn at_work() -> f64 {
    let mut found = libc::timespec { tv_sec: 0, tv_nsec: 0 };
    assert_eq!(unsafe { libc::clock_gettime(libc::CLOCK_PROCESS_CPUTIME_ID, &mut found) }, 0);
    found.tv_sec as f64 + 1e-9 * found.tv_nsec as f64
}

/// Seconds on the clock, where a process's own are not known.
#[cfg(not(unix))]
fn at_work() -> f64 {
    std::time::SystemTime::UNIX_EPOCH.elapsed().unwrap().as_secs_f64()
}

/// None is one thread, this one.
fn threads_of(given: &[f32]) -> Option<&'static ThreadPool> {
    if given[16] == 1.0 { None } else { Some(&ThreadPool::Global) }
}

fn floats(path: &str) -> Vec<f32> {
    let bytes = if path == "-" { Vec::new() } else { fs::read(path).unwrap() };
    bytes.chunks_exact(4).map(|b| f32::from_le_bytes(b.try_into().unwrap())).collect()
}

fn main() {
    let file = std::env::args().nth(1).expect("the path of a .vm file");
    let (mut context, root) = Context::from_text(fs::File::open(file).unwrap()).unwrap();
    let jit = Subject::<JitFunction>::new(&mut context, root);
    let vm = Subject::<VmFunction>::new(&mut context, root);
    println!("ready");
    for line in io::stdin().lock().lines().map(Result::unwrap) {
        let words: Vec<_> = line.split_whitespace().collect();
        let [what, kind, number, given, out, seconds, most] = words[..] else {
            panic!("seven words, not {line}");
        };
        let turn = Turn { seconds: seconds.parse().unwrap(), most: most.parse().unwrap() };
        let (number, given) = (number.parse().unwrap(), floats(given));
        let (taken, found) = match kind {
            "jit" => jit.answer(what, number, &given, &turn),
            _ => vm.answer(what, number, &given, &turn),
        };
        let bytes: Vec<u8> = found.iter().flat_map(|v| v.to_le_bytes()).collect();
        fs::write(out, bytes).unwrap();
        let taken: Vec<_> = taken.iter().map(f64::to_string).collect();
        println!("{}", taken.join(" "));
        io::stdout().flush().unwrap();
    }
}
