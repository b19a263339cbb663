/* What is compiled of capture: `pybuffer.py` and `pyprobes.py` do the same in Python, and say what that is.
 *
 * Only the stable ABI of Python 3.7 is used, so one binary serves every Python from then on. Nothing here gives up the
 * interpreter's lock between the first number of a record and the last: the collector finds a record whole or not at all.
 *
 * The program may come in between wherever Python code is called or an object is let go of: a finalizer, a signal's
 * handler or another thread may then run probes of its own. So what is read after such a place is held on to before it,
 * and a field is emptied before what was in it is let go of.
 */

#ifndef FITTRACE_NATIVE_H
#define FITTRACE_NATIVE_H

#define PY_SSIZE_T_CLEAN
#define Py_LIMITED_API 0x03070000
#include <Python.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <time.h>

#if defined(__linux__)
#define HAS_PINS 1
#include <sys/mman.h>
#include <unistd.h>
#else
#define HAS_PINS 0
#endif

#ifndef METH_FASTCALL
/* In the stable ABI since Python 3.10; 3.7 to 3.9, of which no other will come, have the same under this flag. */
#define METH_FASTCALL 0x0080
#endif

/* How references are counted is for the Python to say that runs, not for the headers of the one that compiled this: since
 * Python 3.12 some objects are immortal. */
#undef Py_INCREF
#undef Py_XINCREF
#undef Py_DECREF
#undef Py_XDECREF
#define Py_INCREF(object) Py_IncRef((PyObject *)(object))
#define Py_XINCREF(object) Py_IncRef((PyObject *)(object))
#define Py_DECREF(object) Py_DecRef((PyObject *)(object))
#define Py_XDECREF(object) Py_DecRef((PyObject *)(object))

#if defined(__GNUC__)
/* Short names that no other library is to see. */
#pragma GCC visibility push(hidden)
#endif

#if defined(CLOCK_MONOTONIC) && defined(CLOCK_REALTIME)
#define HAS_CLOCK 1
#else
#define HAS_CLOCK 0
#endif

/* As in `schema/journal_format.py`. */
#define ABSENT ((1LL << 62) - 1)
#define WHOLE 9007199254740992.0
/* As in `log_inspector.py`: keys in a shape, at most. */
#define WIDEST 64
/* Shapes of one width: those of an epoch's logs and of a batch's, say. */
#define SHAPES 2
/* What is done with the records of a site, as `Dispatch` in `observer.py` says. */
enum { OBSERVED, IGNORED, ENTERS, LEAVES, FILTERED };
/* Classes of callbacks whose numbers are at hand. */
#define AT_HAND 8
/* How often what may be interrupted is begun, at most. */
#define TRIES 4
/* What Fibonacci hashing multiplies by, as in `schema/fibonacci_hashing.py`. */
#define FIBONACCI 0x9E3779B97F4A7C15ULL

/* What a bytearray has beside its head, at most. */
#define ROOM 64

#define METHOD(type, name, flags) {#name, (PyCFunction)(void (*)(void))type##_##name, flags, NULL}

/* What one thread has recorded, and nobody has taken yet. */
typedef struct {
    PyObject_HEAD
    int64_t *numbers;
    Py_ssize_t length;
    Py_ssize_t room;
} Buffer;

/* What logs of a certain width held last: a key, its value, the value's type and number. */
typedef struct {
    PyObject *key;
    PyObject *value;
    PyTypeObject *type;
    double number;
    char kind;
} Entry;

typedef struct {
    int holders;
    Py_ssize_t width;
    int64_t keys; /* their number in the trace */
    Entry entries[];
} Shape;

/* A callback's class, which is kept alive elsewhere, and its number in the trace. */
typedef struct {
    PyTypeObject *type;
    int64_t number;
} Class;

typedef struct {
    PyObject_HEAD
    Buffer *buffer;
    unsigned long thread;
    PyObject *greenlet; /* gives the greenlet that runs, once there may be some */
    PyObject *inspector;
    PyObject *observe;
    PyObject *interest;
    PyObject *batch_filter;
    long entered;
    PyObject *clock;
    PyObject *classes;
    PyObject *texts;
    Class at_hand[AT_HAND];
    unsigned met; /* classes that were put at hand */
    int64_t state_head;
    PyObject *nothing;
    PyObject *stop_training;
    PyObject *seen;
    PyObject *owner;
    PyObject *attributes;
    PyObject *stopping;
    PyObject *described;
    Shape *shapes[(WIDEST + 1) * SHAPES]; /* those of one width side by side */
    Shape *current;
} Probes;

/* What stands for one site in the code of the thread that the probes belong to. */
typedef struct {
    PyObject_HEAD
    char of_its_base[ROOM]; /* a bytearray without bytes */
    Probes *probes;
    int64_t head;
    char kind; /* the first letter of the function of `Probes` that it is */
} Probe;

/* buffer.c */

extern PyType_Spec Buffer_spec;
extern PyObject *array_type;
extern int instances_own_their_type;

/* A new reference to None. The headers of Python 3.12 and 3.13 take it for immortal, which it is not before. */
PyObject *none(void);
/* Give back the memory of an object. */
void release(PyObject *self);
/* Append numbers, all of them or none: 0, or -1 with an error. */
int extend(Buffer *self, const int64_t *numbers, Py_ssize_t count);
/* The number of an int, that of anything else is absent: it may be the program's, so none of its code is run. */
int64_t as_integer(PyObject *value);

/* clock.c */

/* The time, in nanoseconds; negative with an error where there is none. */
int64_t now(Probes *self);
#if HAS_CLOCK
/* `now_ns` as Python has it: probes that are given this clock need no Python to read it. */
extern PyObject *own_clock;
/* The nanoseconds of the clock that only goes on, and those of the wall's. */
PyObject *now_ns(PyObject *module, PyObject *ignored);
PyObject *wall_ns(PyObject *module, PyObject *ignored);
#endif

/* logs.c */

/* Whether logs hold the very objects that were taken last. */
int is_seen(const Probes *self, PyObject *logs);
/* Look at logs: 1 where their objects will tell whether they have changed, 0 where only another look can, or -1. */
int look(Probes *self, PyObject *logs);
/* Another callback list is next: nothing was recorded of its logs. */
void begin_list(Probes *self);
/* Let go of a shape, which goes with its last holder. */
void drop(Shape *shape);

/* records.c */

/* Append one record, all of it or nothing: 0, or -1 with an error. */
int append(Probes *self, const int64_t *numbers, Py_ssize_t count);
/* The same of a tuple after a `head`; 0: the head is in the tuple. */
int append_tuple(Probes *self, int64_t head, PyObject *operands);
/* Report the error that is set, if one is, as `except Exception` would: 0, or -1 where it is the program's and is to go
 * on. */
int fault(Probes *self, const char *where);

/* leaving.c */

/* Record, after this head, the exception that leaves a function. */
PyObject *Probes_unwind(Probes *self, PyObject *head);
/* The same of a call of a model's method, and after it the program's own functions may be as they were. */
PyObject *Probes_unwind_root(Probes *self, PyObject *head);
/* Record, after this head, that such a call ends as it should: 0, or -1 with an error. */
int leave_root(Probes *self, int64_t head);
PyObject *Probes_leave_root(Probes *self, PyObject *head);
/* Record an exception that is caught, goes on, or leaves a generator. */
PyObject *Probes_raised(Probes *self, PyObject *head);

/* packing.c */

/* Bytes that hold integers of 64 bits, packed; None where one of them is too large for that. */
PyObject *packed(PyObject *module, PyObject *numbers);

/* pin.c */

#if HAS_PINS
/* What keeps the open file of a descriptor until it is let go. The file must be open for reading. */
PyObject *pinned(PyObject *module, PyObject *descriptor);
#endif

/* probe.c */

extern PyTypeObject *ProbeType;

/* Make the type: 0, or -1 with an error. */
int make_probe_type(void);

/* probes.c */

extern PyType_Spec Probes_spec;
extern PyTypeObject *BufferType;

/* Hold on to nothing of the program's. */
void forget(Probes *self);
/* Append a record that is a head and the time: 0, or -1 with an error. */
int mark(Probes *self, int64_t head);
/* Whether the calling thread is the one that the probes belong to, in its main greenlet. */
int is_here(const Probes *self);
/* What a probe returns: nothing, also where it could not do its work, but for what no `except Exception` keeps. */
PyObject *done(Probes *self, int failed);

#endif
