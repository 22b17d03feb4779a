namespace Mesh.Dashboard.Tests.Support;

/// <summary>Waiting for what happens elsewhere, with an end.</summary>
internal static class Eventually
{
    public static async Task TrueAsync(Func<Task<bool>> condition, string what, int withinSeconds = 30)
    {
        using var deadline = new CancellationTokenSource(TimeSpan.FromSeconds(withinSeconds));
        while (!await condition())
        {
            if (deadline.IsCancellationRequested) Assert.Fail($"Not within {withinSeconds} s: {what}");
            await Task.Delay(100);
        }
    }
}
