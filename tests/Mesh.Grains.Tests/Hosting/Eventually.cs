namespace Mesh.Grains.Tests;

/// <summary>Polls for what comes true by itself.</summary>
internal static class Eventually
{
    private static readonly TimeSpan Deadline = TimeSpan.FromSeconds(60);

    public static Task HoldsAsync(Func<bool> condition, string what) => HoldsAsync(() => Task.FromResult(condition()), what);

    public static Task HoldsAsync(Func<Task<bool>> condition, string what) => HoldsAsync(condition, () => what);

    public static async Task HoldsAsync(Func<Task<bool>> condition, Func<string> what)
    {
        var began = TimeProvider.System.GetTimestamp();
        while (true)
        {
            try
            {
                if (await condition()) return;
            }
            catch (Exception e) when (GrainFailure.IsExpected(e))
            {
                // A silo that has just died is still asked for a moment.
            }

            if (TimeProvider.System.GetElapsedTime(began) >= Deadline) Assert.Fail($"not within {Deadline.TotalSeconds} s: {what()}");
            await Task.Delay(20);
        }
    }
}
