/* The probes: the functions that the rewritten code calls, for one thread. */

#include "native.h"

/* The most arguments of `mark`. No site has more than six operands. */
#define MOST_OPERANDS 16

PyTypeObject *BufferType;

/* The model: `stop_training` is read from its attributes. */

/* Whether `stop_training` is still the object that it was when it was last looked at. */
static int
is_watched(Probes *self, PyObject *owner)
{
    PyObject *stopping, *attributes = self->attributes;

    if (owner != self->owner) {
        return 0;
    }
    Py_INCREF(attributes); /* a key that is no text may have the same hash, and then its own code compares the two */
    stopping = PyDict_GetItemWithError(attributes, self->stop_training);
    Py_DECREF(attributes);
    if (stopping == NULL && PyErr_Occurred()) {
        PyErr_Clear(); /* `watch`, which is called then, meets it too and reports it */
        return 0;
    }
    return stopping == self->stopping;
}

/* Read `stop_training` and record it where it has changed: 0, or -1. */
static int
watch(Probes *self, PyObject *owner)
{
    PyObject *attributes, *stopping, *record, *before[3];
    int failed;

    if (owner == self->owner) {
        attributes = self->attributes;
        Py_INCREF(attributes);
    } else {
        attributes = PyObject_CallMethod(self->inspector, "attributes", "(O)", owner);
        if (attributes == NULL) {
            return -1;
        }
    }
    stopping = PyDict_GetItemWithError(attributes, self->stop_training);
    if (stopping == NULL && PyErr_Occurred()) {
        Py_DECREF(attributes);
        return -1;
    }
    Py_XINCREF(stopping);
    record = PyObject_CallMethod(self->inspector, "stop", "(O)", attributes);
    if (record == NULL) {
        /* A signal handler may have raised. Nothing is kept, so the next hook looks again. */
        Py_XDECREF(stopping);
        Py_DECREF(attributes);
        return -1;
    }
    /* All fields are set before a reference is dropped, since that may run the program's code. */
    before[0] = self->owner;
    before[1] = self->attributes;
    before[2] = self->stopping;
    Py_INCREF(owner);
    self->owner = owner;
    self->attributes = attributes;
    self->stopping = stopping;
    failed = record != Py_None && append_tuple(self, 0, record) < 0;
    Py_DECREF(record);
    Py_XDECREF(before[0]);
    Py_XDECREF(before[1]);
    Py_XDECREF(before[2]);
    return failed ? -1 : 0;
}

/* Record logs and `stop_training` where they have changed: 1 where one had to be looked at, 0 where none had, or -1. */
static int
look_around(Probes *self, PyObject *owner, PyObject *logs, const char *where)
{
    int has_looked = 0, taken;

    if (logs != Py_None && !is_seen(self, logs)) {
        has_looked = 1;
        /* Where the look fails, the next probe must not take these logs for recorded ones. */
        Py_CLEAR(self->seen);
        taken = look(self, logs);
        if (taken < 0) {
            return fault(self, where) < 0 ? -1 : 1;
        }
        if (taken) {
            PyObject *before = self->seen;
            Py_INCREF(logs);
            self->seen = logs;
            Py_XDECREF(before);
        }
    }
    if (!is_watched(self, owner)) {
        has_looked = 1;
        if (watch(self, owner) < 0 && fault(self, where) < 0) {
            return -1;
        }
    }
    return has_looked;
}

/* The functions. */

/* Whether a probe has as many arguments as its function takes; sets an error where it has not. */
static int
has_arguments(Py_ssize_t given, Py_ssize_t wanted)
{
    if (given != wanted) {
        PyErr_Format(PyExc_TypeError, "a probe with %zd arguments instead of %zd", given, wanted);
    }
    return given == wanted;
}

PyObject *
done(Probes *self, int failed)
{
    if (failed && fault(self, "recording") < 0) {
        return NULL;
    }
    return none();
}

/* Whether the thread's main greenlet runs. It is the one without a parent. */
static int
is_main_greenlet(PyObject *current)
{
    PyObject *greenlet, *parent;
    int is_main;

    Py_INCREF(current);
    greenlet = PyObject_CallObject(current, NULL);
    Py_DECREF(current);
    parent = greenlet == NULL ? NULL : PyObject_GetAttrString(greenlet, "parent");
    is_main = parent == Py_None;
    Py_XDECREF(parent);
    Py_XDECREF(greenlet);
    PyErr_Clear();
    return is_main;
}

int
is_here(const Probes *self)
{
    if (PyThread_get_thread_ident() != self->thread) {
        return 0;
    }
    return self->greenlet == NULL || is_main_greenlet(self->greenlet);
}

int
mark(Probes *self, int64_t head)
{
    int64_t numbers[2];

    numbers[0] = head;
    numbers[1] = now(self);
    return numbers[1] < 0 ? -1 : append(self, numbers, 2);
}

/* Make one probe: of a function's name and a head. */
static PyObject *
Probes_probe(Probes *self, PyObject *const *arguments, Py_ssize_t given)
{
    PyObject *name;
    Probe *made;

    if (!has_arguments(given, 2)) {
        return NULL;
    }
    name = PyUnicode_AsUTF8String(arguments[0]);
    if (name == NULL) {
        return NULL;
    }
    made = (Probe *)PyType_GenericAlloc(ProbeType, 0);
    if (made != NULL) {
        Py_INCREF(self);
        made->probes = self;
        made->head = as_integer(arguments[1]);
        made->kind = PyBytes_AsString(name)[0];
    }
    Py_DECREF(name);
    return (PyObject *)made;
}

/* The thread has ended. Another may get its number, and shall not be taken for it. */
static PyObject *
Probes_leave(Probes *self, PyObject *Py_UNUSED(ignored))
{
    self->thread = 0;
    return none();
}

static PyObject *
Probes_turn_green(Probes *self, PyObject *greenlet)
{
    PyObject *before = self->greenlet;

    Py_INCREF(greenlet);
    self->greenlet = greenlet;
    Py_XDECREF(before);
    return none();
}

static PyObject *
Probes_record(Probes *self, PyObject *record)
{
    return done(self, append_tuple(self, 0, record) < 0);
}

static PyObject *
Probes_mark(Probes *self, PyObject *const *arguments, Py_ssize_t given)
{
    int64_t numbers[1 + MOST_OPERANDS];
    Py_ssize_t place;

    if (given < 1 || given > MOST_OPERANDS) {
        PyErr_Format(PyExc_TypeError, "a mark with %zd arguments", given);
        return NULL;
    }
    numbers[0] = as_integer(arguments[0]);
    numbers[1] = now(self);
    for (place = 1; place < given; place++) {
        numbers[place + 1] = as_integer(arguments[place]);
    }
    return done(self, numbers[1] < 0 || append(self, numbers, given + 1) < 0);
}

static PyObject *
Probes_hooks(Probes *self, PyObject *const *arguments, Py_ssize_t given)
{
    int64_t numbers[4];
    PyObject *owner;

    if (!has_arguments(given, 3)) {
        return NULL;
    }
    owner = arguments[1];
    begin_list(self);
    numbers[0] = as_integer(arguments[0]);
    numbers[1] = now(self);
    numbers[2] = (int64_t)(intptr_t)owner; /* what `id` returns */
    /* A number of another class could run the program's code, and a negative operand would be read as a head. */
    numbers[3] = PyLong_CheckExact(arguments[2]) ? as_integer(arguments[2]) : ABSENT;
    if (numbers[3] < 0) {
        numbers[3] = ABSENT;
    }
    if (numbers[1] < 0 || append(self, numbers, 4) < 0) {
        return done(self, 1);
    }
    if (!is_watched(self, owner) && watch(self, owner) < 0 && fault(self, "looking at stop_training") < 0) {
        return NULL;
    }
    return none();
}

/* Find the number of a callback's class: 1 where it was known, 0 where it is new, or -1. */
static int
class_of(Probes *self, PyObject *callback, int64_t *number)
{
    PyTypeObject *kind = Py_TYPE(callback);
    PyObject *identity, *known;
    Class *class;
    int is_known;

    /* The same few classes take turns in each batch. Comparing pointers is quicker than a dict. */
    for (class = self->at_hand; class < self->at_hand + AT_HAND; class++) {
        if (class->type == kind) {
            *number = class->number;
            return 1;
        }
    }
    identity = PyLong_FromVoidPtr(kind);
    if (identity == NULL) {
        return -1;
    }
    known = PyDict_GetItemWithError(self->classes, identity);
    Py_DECREF(identity);
    is_known = known != NULL;
    if (is_known) {
        *number = as_integer(known);
    } else {
        known = PyErr_Occurred() ? NULL : PyObject_CallMethod(self->inspector, "meet", "(O)", kind);
        if (known == NULL) {
            return -1;
        }
        *number = as_integer(known);
        Py_DECREF(known);
    }
    /* It takes the place of the one that has been there longest. */
    class = &self->at_hand[self->met++ % AT_HAND];
    class->type = kind;
    class->number = *number;
    return is_known;
}

static PyObject *
Probes_hook(Probes *self, PyObject *const *arguments, Py_ssize_t given)
{
    int64_t numbers[4];
    int has_looked, is_known;

    if (!has_arguments(given, 4)) {
        return NULL;
    }
    numbers[0] = as_integer(arguments[0]);
    numbers[1] = numbers[2] = now(self);
    if (numbers[1] < 0) {
        return done(self, 1);
    }
    has_looked = look_around(self, arguments[1], arguments[3], "reading the logs of a hook");
    is_known = has_looked < 0 ? -1 : class_of(self, arguments[2], &numbers[3]);
    if (is_known < 0) {
        return done(self, 1);
    }
    if (has_looked || !is_known) {
        /* What inspecting takes belongs to neither hook. */
        numbers[2] = now(self);
    }
    return done(self, numbers[2] < 0 || append(self, numbers, 4) < 0);
}

static PyObject *
Probes_named(Probes *self, PyObject *const *arguments, Py_ssize_t given)
{
    int64_t numbers[2] = {0, ABSENT};
    PyObject *known;

    if (!has_arguments(given, 2)) {
        return NULL;
    }
    numbers[0] = as_integer(arguments[0]);
    if (PyUnicode_CheckExact(arguments[1])) {
        known = PyDict_GetItemWithError(self->texts, arguments[1]);
        Py_XINCREF(known);
        if (known == NULL && !PyErr_Occurred()) {
            known = PyObject_CallMethod(self->inspector, "text", "(O)", arguments[1]);
        }
        if (known == NULL) {
            return done(self, 1);
        }
        numbers[1] = as_integer(known);
        Py_DECREF(known);
    }
    return done(self, append(self, numbers, 2) < 0);
}

static PyObject *
Probes_hooked(Probes *self, PyObject *const *arguments, Py_ssize_t given)
{
    int64_t numbers[2];
    int failed;

    if (!has_arguments(given, 3)) {
        return NULL;
    }
    numbers[0] = as_integer(arguments[0]);
    numbers[1] = now(self);
    failed = numbers[1] < 0 || look_around(self, arguments[1], arguments[2], "reading the logs after a hook") < 0;
    if (!failed) {
        /* The next probe may be another list's: the one around this list, where a callback holds a list of its own. */
        begin_list(self);
        failed = append(self, numbers, 2) < 0;
    }
    return done(self, failed);
}

void
forget(Probes *self)
{
    PyObject *before[] = {self->owner, self->attributes, self->stopping};

    self->owner = self->attributes = self->stopping = NULL;
    begin_list(self);
    Py_XDECREF(before[0]); /* it may be the model's last reference, and a finalizer may train another model */
    Py_XDECREF(before[1]);
    Py_XDECREF(before[2]);
}

static PyObject *
Probes_forget(Probes *self, PyObject *Py_UNUSED(ignored))
{
    forget(self);
    return none();
}

static PyObject *
Probes_hooked_last(Probes *self, PyObject *const *arguments, Py_ssize_t given)
{
    PyObject *done = Probes_hooked(self, arguments, given);

    Py_XDECREF(done);
    return done == NULL ? NULL : Probes_forget(self, NULL);
}

/* The type. */

static int
Probes_traverse(Probes *self, visitproc visit, void *arg)
{
    Py_ssize_t nth, place;

    Py_VISIT(self->observe);
    Py_VISIT(self->greenlet);
    Py_VISIT(self->inspector);
    Py_VISIT(self->clock);
    Py_VISIT(self->classes);
    Py_VISIT(self->texts);
    Py_VISIT(self->seen);
    Py_VISIT(self->owner);
    Py_VISIT(self->attributes);
    Py_VISIT(self->stopping);
    Py_VISIT(self->described);
    for (nth = 0; nth < (WIDEST + 1) * SHAPES; nth++) {
        const Shape *shape = self->shapes[nth];
        for (place = 0; shape != NULL && place < shape->width; place++) {
            Py_VISIT(shape->entries[place].value);
            Py_VISIT(shape->entries[place].type);
        }
    }
    return 0;
}

/* Python's collector of garbage may call this while the object can still be called: `observe` stays an object. */
static int
Probes_clear(Probes *self)
{
    PyObject *observe = self->observe;
    Py_ssize_t nth;

    Py_XDECREF(Probes_forget(self, NULL));
    for (nth = 0; nth < (WIDEST + 1) * SHAPES; nth++) {
        Shape *shape = self->shapes[nth];
        self->shapes[nth] = NULL;
        drop(shape);
    }
    Py_CLEAR(self->inspector);
    Py_CLEAR(self->greenlet);
    self->observe = none();
    Py_XDECREF(observe);
    return 0;
}

static void
Probes_dealloc(Probes *self)
{
    PyObject_GC_UnTrack(self);
    Probes_clear(self);
    Py_CLEAR(self->observe);
    Py_CLEAR(self->interest);
    Py_CLEAR(self->batch_filter);
    Py_XDECREF((PyObject *)self->buffer);
    Py_CLEAR(self->clock);
    Py_CLEAR(self->classes);
    Py_CLEAR(self->texts);
    Py_CLEAR(self->nothing);
    Py_CLEAR(self->stop_training);
    release((PyObject *)self);
}

/* The bytearray in an attribute of the observer's; a new reference, or NULL with an error. */
static PyObject *
bytes_of(PyObject *observing, const char *name)
{
    PyObject *bytes = PyObject_GetAttrString(observing, name);

    if (bytes != NULL && !PyByteArray_Check(bytes)) {
        PyErr_Format(PyExc_TypeError, "%s is a bytearray", name);
        Py_CLEAR(bytes);
    }
    return bytes;
}

static PyObject *
Probes_new(PyTypeObject *type, PyObject *arguments, PyObject *keywords)
{
    static char *names[] = {"inspector", "buffer", "observing", NULL};
    PyObject *inspector, *buffer, *observing, *head;
    Probes *self;

    if (!PyArg_ParseTupleAndKeywords(
            arguments, keywords, "OO!O:Probes", names, &inspector, BufferType, &buffer, &observing)) {
        return NULL;
    }
    self = (Probes *)((allocfunc)PyType_GetSlot(type, Py_tp_alloc))(type, 0);
    if (self == NULL) {
        return NULL;
    }
    Py_INCREF(inspector);
    Py_INCREF(buffer);
    self->inspector = inspector;
    self->buffer = (Buffer *)buffer;
    self->thread = PyThread_get_thread_ident();
    if (observing == Py_None) {
        self->observe = none();
    } else {
        self->observe = PyObject_GetAttrString(observing, "observe");
        self->interest = bytes_of(observing, "interest");
        self->batch_filter = self->interest == NULL ? NULL : bytes_of(observing, "batch_filter");
        if (self->observe == NULL || self->batch_filter == NULL) { /* else what is asked for next might clear the error */
            Py_DECREF(self);
            return NULL;
        }
    }
    self->clock = PyObject_GetAttrString(inspector, "clock");
    self->classes = PyObject_GetAttrString(inspector, "classes");
    self->texts = PyObject_GetAttrString(inspector, "texts");
    self->nothing = PyTuple_New(0);
    self->stop_training = PyUnicode_InternFromString("stop_training");
    head = PyObject_GetAttrString(inspector, "state_head");
    if (head != NULL) {
        self->state_head = as_integer(head);
        Py_DECREF(head);
    }
    if (PyErr_Occurred()) {
        Py_DECREF(self);
        return NULL;
    }
    return (PyObject *)self;
}

static PyMethodDef Probes_methods[] = {
    METHOD(Probes, probe, METH_FASTCALL),
    METHOD(Probes, leave, METH_NOARGS),
    METHOD(Probes, turn_green, METH_O),
    METHOD(Probes, record, METH_O),
    METHOD(Probes, mark, METH_FASTCALL),
    METHOD(Probes, hooks, METH_FASTCALL),
    METHOD(Probes, hook, METH_FASTCALL),
    METHOD(Probes, named, METH_FASTCALL),
    METHOD(Probes, hooked, METH_FASTCALL),
    METHOD(Probes, hooked_last, METH_FASTCALL),
    METHOD(Probes, forget, METH_NOARGS),
    METHOD(Probes, unwind, METH_O),
    METHOD(Probes, leave_root, METH_O),
    METHOD(Probes, unwind_root, METH_O),
    METHOD(Probes, raised, METH_O),
    {NULL, NULL, 0, NULL},
};

static PyType_Slot Probes_slots[] = {
    {Py_tp_doc, "The functions that one thread's probes call."},
    {Py_tp_new, (void *)Probes_new},
    {Py_tp_dealloc, (void *)Probes_dealloc},
    {Py_tp_traverse, (void *)Probes_traverse},
    {Py_tp_clear, (void *)Probes_clear},
    {Py_tp_methods, Probes_methods},
    {0, NULL},
};

PyType_Spec Probes_spec = {
    "fittrace.capture._native.Probes",
    sizeof(Probes),
    0,
    Py_TPFLAGS_DEFAULT | Py_TPFLAGS_HAVE_GC,
    Probes_slots,
};
