using System.Runtime.InteropServices;

namespace Mesh.Cli.Load;

/// <summary>Sleeps that end within about a tenth of a millisecond of their time, where the operating system offers them.</summary>
internal static class ExactSleep
{
    // Ctrl-C is heard in between.
    private static readonly TimeSpan LongestSleep = TimeSpan.FromMilliseconds(50);

    /// <summary>Sleeps until a time of the clock.</summary>
    /// <returns>False when the run was ended first.</returns>
    public static bool Until(TimeSpan time, RunClock clock, CancellationToken ended)
    {
        while (!ended.IsCancellationRequested)
        {
            var left = time - clock.Now;
            if (left <= TimeSpan.Zero) return true;
            Sleep(left < LongestSleep ? left : LongestSleep);
        }

        return false;
    }

    private static void Sleep(TimeSpan duration)
    {
        // Thread.Sleep counts in whole milliseconds, which is much beside an answer that takes one.
        if (!OperatingSystem.IsLinux())
        {
            Thread.Sleep(duration > TimeSpan.FromMilliseconds(1) ? duration - TimeSpan.FromMilliseconds(1) : TimeSpan.Zero);
            return;
        }

        var request = new TimeSpec { Nanoseconds = duration.Ticks * 100 };
        _ = NanoSleep(in request, IntPtr.Zero);
    }

    [DllImport("libc", EntryPoint = "nanosleep")]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static extern int NanoSleep(in TimeSpec request, IntPtr remaining);

    [StructLayout(LayoutKind.Sequential)]
    private struct TimeSpec
    {
        public nint Seconds;
        public long Nanoseconds;
    }
}
