using System.Runtime.InteropServices;

namespace Mesh.Regions.Tests.Support;

/// <summary>Processor time: what other processes take meanwhile does not count.</summary>
internal static partial class ProcessorTime
{
    private const int ProcessClock = 2;
    private const int ThreadClock = 3;

    /// <summary>Of this thread.</summary>
    public static TimeSpan OfThread() => Read(ThreadClock);

    /// <summary>Of all threads of this process.</summary>
    public static TimeSpan OfProcess() => Read(ProcessClock);

    private static TimeSpan Read(int clock)
    {
        Assert.Equal(0, ReadClock(clock, out var time));
        return TimeSpan.FromSeconds(time.Seconds) + TimeSpan.FromMicroseconds(time.Nanoseconds / 1000.0);
    }

    [LibraryImport("libc", EntryPoint = "clock_gettime")]
    private static partial int ReadClock(int clock, out ClockTime time);

    private readonly struct ClockTime
    {
        public readonly long Seconds;
        public readonly long Nanoseconds;
    }
}
