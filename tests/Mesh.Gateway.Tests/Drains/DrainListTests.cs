using Mesh.Gateway.Drains;
using Mesh.Gateway.Tests.Support;
using Mesh.Testing;

namespace Mesh.Gateway.Tests.Drains;

public sealed class DrainListTests
{
    private static readonly DateTimeOffset Start = new ManualTimeProvider().GetUtcNow();

    private static Drain Of(int number) => new(new DrainTarget(DrainKind.Endpoint, $"10.0.0.{number}:8000", null), "why", "me", Start.AddSeconds(number));

    [Fact]
    public void History_BeyondItsBound_LosesTheOldest()
    {
        var list = DrainList.Empty;
        for (var i = 0; i < DrainList.MostEvents + 3; i++) list = list.With(Of(i % 5), forced: false);
        Assert.Equal((DrainList.MostEvents, 5), (list.History.Length, list.Drains.Length));
        Assert.Equal(Of((DrainList.MostEvents + 2) % 5).Target, list.History[0].Target);
    }

    [Fact]
    public void File_WrittenAndRead_IsTheSame()
    {
        using var folder = new TempFolder();
        var file = new DrainFile(Path.Combine(folder.Path, "not", "there"));
        Assert.Same(DrainList.Empty, file.Read());
        var list = DrainList.Empty
            .With(new Drain(new DrainTarget(DrainKind.Region, "us-east4", "default/pool"), "it \"burns\"", "alice", Start), forced: true)
            .With(Of(1), forced: false)
            .Without(Of(1).Target, "", "bob", Start.AddMinutes(1));
        file.Write(list);
        var read = file.Read();
        Assert.Equal(list.Drains.AsEnumerable(), read.Drains);
        Assert.Equal(list.History.AsEnumerable(), read.History);
    }

    [Theory]
    [InlineData("", "cannot be read")]
    [InlineData("{\"schema\":2}", "its schema is 2, and this gateway knows 1")]
    [InlineData("{\"schema\":1,\"drains\":[{\"kind\":\"pod\",\"name\":\"x\"}]}", "an entry has no kind or no name")]
    public void File_ThatCannotBeUsed_SaysWhy(string text, string message)
    {
        using var folder = new TempFolder();
        File.WriteAllText(Path.Combine(folder.Path, DrainFile.Name), text);
        var e = Assert.Throws<Mesh.Gateway.Hosting.GatewayConfigurationException>(() => new DrainFile(folder.Path).Read());
        Assert.Contains(message, e.Message, StringComparison.Ordinal);
    }
}
