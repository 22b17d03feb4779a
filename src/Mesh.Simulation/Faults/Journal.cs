using System.Globalization;

namespace Mesh.Simulation.Faults;

/// <summary>Writes what happens in a fault world, one line an event, where somebody wants to read it; and keeps the first broken invariant.</summary>
/// <param name="output">Where the lines go; null for nowhere.</param>
/// <param name="time">The world's time.</param>
internal sealed class Journal(TextWriter? output, Timeline time)
{
    /// <summary>The first invariant that was broken, with its time; null while none was.</summary>
    public string? Violation { get; private set; }

    /// <summary>True when lines are read: what makes them costs something.</summary>
    public bool IsOn => output is not null;

    /// <summary>Something happened.</summary>
    public void Note(string what)
    {
        if (output is null) return;
        output.WriteLine(string.Create(CultureInfo.InvariantCulture, $"{time.NowMs,12:0.000} {what}"));
    }

    /// <summary>An invariant is broken: the world ends with this event.</summary>
    public void Break(string invariant)
    {
        Note($"VIOLATION {invariant}");
        Violation ??= string.Create(CultureInfo.InvariantCulture, $"at {time.NowMs:0.000} ms: {invariant}");
    }
}
